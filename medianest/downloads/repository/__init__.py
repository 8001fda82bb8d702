"""Every query of the download queue and of the library's records: rows inside, models outside."""
