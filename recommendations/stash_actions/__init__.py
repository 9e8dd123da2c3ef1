"""Acting on recommendations: everything of this project that changes Stash.

Each action reads freshly what it is about, plans, and carries the plan out; a dry run
ends after planning. `acting` keeps the audit and the recommendation that is acted on.
"""
