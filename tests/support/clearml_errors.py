"""Errors of the ClearML API by name: code, subcode and text, as the server words them."""

ERRORS = {
    "bad_request": (400, 0, "The browser (or proxy) sent a request that this server could not understand."),
    "bad_headers": (400, 5, "Invalid headers"),
    "impersonation": (400, 6, "Impersonation error"),
    "invalid_id": (400, 10, "Invalid object id"),
    "validation": (400, 12, "Validation error"),
    "invalid_fields": (400, 16, "Invalid value for fields"),
    "no_items": (400, 17, "Batch request contains no items"),
    "no_access_key": (400, 75, "Access key not found"),
    "invalid_task_id": (400, 101, "Invalid task id"),
    "invalid_task_status": (400, 110, "Invalid task status"),
    "invalid_user": (400, 300, "Invalid user"),
    "invalid_user_id": (400, 301, "Invalid user id"),
    "invalid_queue_id": (400, 701, "Invalid queue id"),
    "not_queued": (400, 703, "Invalid queue id or task not in queue"),
    "task_already_queued": (400, 706, "Failed adding task to queue since task is already queued"),
    "no_default_queue": (400, 707, "No queue is tagged as the default queue for this company"),
    "not_unique": (400, 801, "Value combination already exists (unique field already contains this value)"),
    "bad_scheme": (401, 10, "Unauthorized (bad authentication header type)"),
    "no_credentials": (401, 20, "Unauthorized (missing credentials)"),
    "malformed_credentials": (401, 21, "Unauthorized (malformed credentials)"),
    "bad_credentials": (401, 22, "Unauthorized (invalid credentials)"),
    "invalid_token": (401, 30, "Invalid token"),
    "no_member": (403, 1, "Forbidden (not a member of the company)"),    # the words are a guess
    "role": (403, 20, "Forbidden (not allowed for role)"),
    "not_a_dict": (500, 0, "Data should be a dict"),
}


class ApiError(Exception):
    """A failed call: becomes an envelope with this code, subcode and message."""

    def __init__(self, code, subcode, message):
        super().__init__(message)
        self.code, self.subcode, self.message = code, subcode, message


def api_error(kind, extra=None, **details):
    """The error named kind, worded as the server does: `text (extra): key=value, key=value`."""
    code, subcode, text = ERRORS[kind]
    if extra is not None:
        text += f" ({extra})"
    if details:
        text += ": " + ", ".join(f"{key}={_shown(value)}" for key, value in details.items())
    return ApiError(code, subcode, text)


def _shown(value):
    return f"({', '.join(value)})" if isinstance(value, tuple) else value
