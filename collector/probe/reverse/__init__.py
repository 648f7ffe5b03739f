"""Reverse catchment: an NVA pings on-premises hosts from the anycast address, and the NVA that hears the reply is that
host's catchment. It needs nothing at the hosts but that they answer a ping."""
