package authflow

import (
	"net/http"
	"net/url"
)

// Kind says what a person is told.
type Kind string

// Kinds of failures. The texts are in messages, under "authflow." + kind.
const (
	Malformed    Kind = "malformed"     // not a request of ours
	Foreign      Kind = "foreign"       // a form of another site
	Expired      Kind = "expired"       // the picker lay open too long
	Over         Kind = "over"          // finished before, or too old
	OtherBrowser Kind = "other_browser" // begun in another browser, or cookies are off
	NoOffice     Kind = "no_office"     // the application takes nobody
	Gone         Kind = "gone"          // the office is not available (any more)
	Down         Kind = "down"          // the office does not answer
	Denied       Kind = "denied"        // the office, or the person there, said no
	Failed       Kind = "failed"        // the office's answer was not acceptable
	Busy         Kind = "busy"          // too many logins from this address
	Unavailable  Kind = "unavailable"   // we cannot, now
)

// Kinds lists all of them.
var Kinds = []Kind{Malformed, Foreign, Expired, Over, OtherBrowser, NoOffice, Gone, Down, Denied, Failed, Busy, Unavailable}

// status is the HTTP status of a kind.
func (k Kind) status() int {
	switch k {
	case Foreign, Denied, NoOffice, OtherBrowser:
		return http.StatusForbidden
	case Busy:
		return http.StatusTooManyRequests
	case Failed:
		return http.StatusBadGateway
	case Down, Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// Failure is what a person is told when a login does not go on, and the ways on from there; each may be missing.
type Failure struct {
	Kind        Kind
	Status      int
	Reference   string // correlation id, for whom they ask
	Office      string // its name; "" = none
	Application string // its name; "" = unknown
	Retry       *Retry // once more with the same office
	Picker      string // URL: choose another office
	Again       string // URL: from the beginning
	Cancel      string // URL: back to the application
	Locales     []string
}

// Retry is a form that is posted to try again.
type Retry struct{ Action, Sealed, Trust string }

// Sending is a form that takes the browser to an office.
type Sending struct {
	Office  string // its name
	Action  string
	Fields  url.Values
	Locales []string
}

// Left is an office's answer to our wish to end the session there. Done: it did.
type Left struct {
	Office string
	Done   bool
}
