"""Every query on requests, who waits for them and what is still to be sent: rows inside, models outside."""
