"""PostgreSQL: the connection, the roles, the tables of each component, and the server that comes with Huilian."""
