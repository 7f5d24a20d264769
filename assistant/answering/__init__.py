"""From ranked candidates to a cited answer: what is named, whether the notes answer, what is quoted."""
