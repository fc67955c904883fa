"""Who else has a part in a loan: consents, enterprises and whom they lead, agreements, lead banks, suspensions."""
