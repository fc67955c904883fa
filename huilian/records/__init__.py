"""What records are made of: kinds of field for one record and for columns; the definitions are in `schemas`."""
