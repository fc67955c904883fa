"""How sealed messages travel from where a file is to the county: embedded, HTTP or AMQP."""
