"""The report that leaders read: what it says (content), how it is drawn and laid out (page, PDF, digest), its lists."""

from walkaway.report.html.content import Content, gather
from walkaway.report.html.digest import digest
from walkaway.report.html.markup import page
from walkaway.report.html.write import write_report

__all__ = ["Content", "digest", "gather", "page", "write_report"]
