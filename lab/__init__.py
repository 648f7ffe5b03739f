"""The watched network in miniature: real routers in network namespaces, brought up, broken and taken down."""
