"""Joining, staying and leaving: who takes part, by which key, and until when.

    request (joining) ─▶ county checks, fingerprint by telephone (admission) ─▶ approval ─▶ institution
    new key announced under the old one (announcement) ─▶ both count for a while (rotation)
    approval lost: issued anew (reissue); what the institution's machine knows of its keys
    suspended, resumed, left (standing); told before a key ends, or that a new one is not used (key_expiry)

All of it travels as signed documents, in files or over HTTP; each is taken once.
"""
