"""What the API's description says in words: groups, statuses with their codes, headers."""

SUMMARY = (
    "The web API of the robot's back end.\n\n"
    "**Tokens.** `POST /api/v1/auth/login` gives an access token; send it as `Authorization: Bearer …`. What an operation needs "
    "stands in its `x-permission`: `public`, `authenticated`, or a permission that the caller's role holds.\n\n"
    "**Answers** carry `X-Request-Id`, which is found again in the logs. Times are ISO 8601 in UTC. Routes with an envelope answer "
    "`{success, data, timestamp, request_id}`, lists with `total_count`, `page`, `limit`, `meta` and `links` as well; "
    "`?envelope=none` gives what stands in `data`, by itself.\n\n"
    "**Errors** are `{success: false, error, detail, code, details, timestamp, request_id}`: `code` is for programs, `details` names "
    "the fields at fault.\n\n"
    "**Live values** come over a WebSocket, described at `/asyncapi.json`.")

TAGS = {
    "system": "Who answers here, whether all is well, this description.",
    "auth": "Tokens, passwords, users.",
    "audit": "Who did what; entries are never changed.",
    "map": "Mapping, stored maps, the grid in several forms. Lengths in millimetres.",
    "sensors": "Readings, their checks, types, configuration, calibration.",
    "sessions": "Recording sessions and their export.",
    "localization": "Where the robot is, and what that rests on. Lengths in millimetres.",
    "robot": "Commands, motion, modes. Lengths in metres.",
    "safety": "The stop, and what watches over motion.",
    "telemetry": "What the modules tell.",
    "rs485": "Lines, modules and their registers.",
    "config": "Settings of the suite and firmware of the modules.",
    "monitoring": "Load, alerts, logs.",
    "dashboard": "What a page shows at a glance.",
    "health": "State of the suite for people.",
    "network": "The link to the robot.",
}

REASONS = {400: "A rule says no.", 401: "No token, or one that does not hold.",
           403: "The role lacks the permission.", 404: "No such thing.",
           409: "The present state does not allow it.", 412: "Somebody was quicker: it has another version by now.", 413: "Over a size limit.",
           416: "The range lies behind the end; Content-Range says where that is.",
           422: "A field is missing, mistyped or out of bounds.", 429: "Too often; see Retry-After.",
           500: "A fault of the server.", 501: "Stands in the API, not built yet.",
           503: "The service or module is not there now.", 504: "No answer in time."}

# status -> code -> a sentence such as comes with it; the first is what a service says that names none of its own.
CODES = {
    400: {"VALIDATION_ERROR": "speed has to be greater than 0", "INVALID_COMMAND": "A robot that moves cannot be asked for that.", "SAFETY_VIOLATION": "force has to be true for that.",
          "WEAK_PASSWORD": "The password needs an upper-case letter.", "PASSWORD_REUSED": "That was one of the last passwords; take another one.",
          "RESET_TOKEN": "The reset token is unknown, spent or too old.", "ALREADY_EXISTS": "Another user has the name ada.", "BAD_REQUEST": "The request cannot be read."},
    401: {"AUTH_FAILED": "The name or the password is wrong.", "INVALID_TOKEN": "The token has expired; log in again.",
          "TOKEN_REVOKED": "The session was ended; log in again.", "TOKEN_REPLAYED": "This refresh token was used before.",
          "ACCOUNT_LOCKED": "Too many failed logins; try again in 15 minutes."},
    403: {"INSUFFICIENT_PERMISSIONS": "Your role lacks the permission map:write.",
          "PASSWORD_CHANGE_REQUIRED": "The password has to be changed first: POST /api/v1/auth/change-password.", "FORBIDDEN": "No access from there."},
    404: {"NOT_FOUND": "There is no map of that id.", "NOTHING_RECORDED": "Nothing has been recorded yet."},
    409: {"CONFLICT": "A session is running already.", "LAST_ADMIN": "ada is the last administrator; make another one first.", "ROBOT_BUSY": "The robot carries out another command.",
          "SAFETY_VIOLATION": "The stop is still latched.", "MAP_IN_USE": "The map is the active one."},
    412: {"VERSION_CHANGED": "robot.settings has version 3 by now: read it, and change that one."},
    413: {"TOO_LARGE": "The body is too long: at most 65536 bytes here."},
    416: {"RANGE_NOT_SATISFIABLE": "The range begins behind the end."},
    422: {"VALIDATION_ERROR": "limit: must be at most 1000"},
    429: {"RATE_LIMITED": "Too many requests; wait as long as Retry-After says.",
          "TOO_MANY_CONNECTIONS": "This address holds as many connections as it may; close one."},
    500: {"SYSTEM_ERROR": "The answer could not be written."},
    501: {"NOT_IMPLEMENTED": "Not built in this version."},
    503: {"UNAVAILABLE": "mapper cannot be asked now.", "MODULE_OFFLINE": "The power module is silent.",
          "IDENTITY_UNKNOWN": "Storage has not said yet who may come in; try again.",
          "TOO_MANY_CONNECTIONS": "The house is full; only a stop is served.", "NOT_READY": "Not ready: storage is silent."},
    504: {"TIMEOUT": "storage did not answer in time.",
          "ESTOP_UNCONFIRMED": "The stop is latched but the motors did not confirm it; it is being repeated.", "EXPIRED": "The request came too late to be carried out."},
}

HEADERS = {
    "RequestId": {"required": True, "description": "The trace id: find it in the logs.", "schema": {"type": "string", "pattern": "^[0-9a-f]{16}$"}},
    "RateLimit": {"required": True, "description": "Requests a minute that the caller may make.", "schema": {"type": "integer", "minimum": 1}},
    "RateRemaining": {"required": True, "description": "Requests that are left at once.", "schema": {"type": "integer", "minimum": 0}},
    "RetryAfter": {"required": True, "description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "Authenticate": {"required": True, "description": "The scheme to log in with.", "schema": {"type": "string", "const": "Bearer"}},
    "Location": {"required": True, "description": "Where it is.", "schema": {"type": "string", "format": "uri-reference"}},
    "ETag": {"required": True, "description": "Names this content; send it back as If-None-Match.", "schema": {"type": "string"}},
    "Version": {"description": "Names this version, for If-Match with a change; absent while it is kept but not obeyed yet.", "schema": {"type": "string"}},
}
