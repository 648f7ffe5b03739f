"""Senders: one module for each way of telling somebody."""
