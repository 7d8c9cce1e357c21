package oauth

import "strings"

// Error has two faces: Code and Description are for the client, whoever it is; Cause is for the log and the audit trail
// and never reaches a response body.
type Error struct {
	Code        string
	Description string // printable ASCII without '"' and '\' (RFC 6749 §5.2)
	Status      int    // HTTP status
	RetryAfter  int    // seconds; 0 = no Retry-After
	Challenge   string // WWW-Authenticate; "" = none
	Cause       error
}

// Error is for logs: it includes the cause.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Code + ": " + e.Description + ": " + e.Cause.Error()
	}
	return e.Code + ": " + e.Description
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// BadRequest is an invalid_request with a description.
func BadRequest(description string) *Error {
	return &Error{Code: CodeInvalidRequest, Description: Printable(description), Status: 400}
}

// Printable keeps a description within RFC 6749 §5.2's character set and to a length fit for a line: values of
// strangers stand in descriptions (a parameter's name), so they must not break a header or a log.
func Printable(s string) string {
	const limit = 200
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= limit {
			b.WriteString("...")
			break
		}
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}
