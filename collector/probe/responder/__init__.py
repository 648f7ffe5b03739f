"""Who answers: a small authenticated UDP and HTTP responder, to stand on NVAs and beside applications."""
