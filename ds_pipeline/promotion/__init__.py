"""From a candidate to a version in force: judged, compared, decided, recorded, and reproduced."""
