"""The demo: a two-region anycast network that loses an advertisement, fails over, recovers, and is hijacked."""
