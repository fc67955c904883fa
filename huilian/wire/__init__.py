"""What travels between institution and county, and how it is signed: keys, envelope, documents, contracts."""
