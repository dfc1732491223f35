"""A support console in Django: agents enter customers' accounts in the shop."""
