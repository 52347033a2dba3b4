"""The report that leaders read: what it says (content), how it is drawn and laid out (page, PDF, digest), its lists."""

from walkaway.report.page.content import Content, gather
from walkaway.report.page.digest import digest
from walkaway.report.page.markup import page
from walkaway.report.page.write import write_report

__all__ = ["Content", "digest", "gather", "page", "write_report"]
