"""Prints the SHA-256 of every file below the samples folder of a source distribution, by path, as JSON."""

import hashlib
import json
import sys
import tarfile

folder = "/samples/"
digests = {}
with tarfile.open(sys.argv[1]) as archive:
    for member in archive:
        root, found, path = member.name.partition(folder)
        if found and "/" not in root and member.isfile():
            digests[path] = hashlib.sha256(archive.extractfile(member).read()).hexdigest()
print(json.dumps(digests))
