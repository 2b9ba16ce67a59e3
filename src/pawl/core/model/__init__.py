"""The nouns everyone shares: ids, statuses, events, errors. Plain frozen values."""
