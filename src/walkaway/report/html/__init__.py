"""The report for sales leaders: its content, the page, the PDF, the digest, and the lists."""

from walkaway.report.html.content import Content, gather
from walkaway.report.html.digest import digest
from walkaway.report.html.markup import page
from walkaway.report.html.write import write_report, write_undated_report

__all__ = ["Content", "digest", "gather", "page", "write_report", "write_undated_report"]
