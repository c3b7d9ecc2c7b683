"""The sections of the report's page, a file (or a folder) each; ``report.section.PAGE`` is their order."""
