"""Importers: CRM exports to books with a quarantine."""

from walkaway.importers.imported import FileFound, Imported
from walkaway.importers.importer import Export, Importer, importers
from walkaway.importers.mapping import load_mapping, mapping_for
from walkaway.importers.table import import_table
from walkaway.importers.table_mapping import TableMapping
from walkaway.importers.xes import import_xes
from walkaway.importers.xes_mapping import XesMapping

__all__ = [
    "Export",
    "FileFound",
    "Imported",
    "Importer",
    "TableMapping",
    "XesMapping",
    "import_table",
    "import_xes",
    "importers",
    "load_mapping",
    "mapping_for",
]
