# leave_on_server = "no" with UIDPLUS, beside a message that another client marked \Deleted and mailhaul has long had.
# mailhaul must expunge exactly its own UIDs.
@messages 1..3
@config leave_on_server = "no"
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 1..3
@expect-sent UID STORE \S+ \+FLAGS(\.SILENT)? \(?\\Deleted
@expect-sent UID EXPUNGE (1:3|1,2,3|1|2|3)
