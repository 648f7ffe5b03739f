"""What agents report: let in by HTTPS and a token for each site, into the journal once, and to judging while fresh."""
