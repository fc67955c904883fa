"""Makes what institutions and counties write: files, records, documents, with invented persons."""
