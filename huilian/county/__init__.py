"""The county's side: its members, the messages it keeps, the submissions it applies, and the office that holds them."""
