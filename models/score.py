"""How a finder is scored; the matching itself is shared with the workshop."""

from convert.finding.score import BORDER, Match, Summary, match_boxes, match_points, pairs, summarise

__all__ = ["BORDER", "Match", "Summary", "match_boxes", "match_points", "pairs", "summarise"]
