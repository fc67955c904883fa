"""An institution's side: its files translated, sealed and sent, and the county's answers believed and written out."""
