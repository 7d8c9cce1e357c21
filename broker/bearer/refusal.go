package bearer

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"apostille/broker/oauth"
)

// retryAfter is how long, in seconds, a caller waits when the broker's keys cannot be had.
const retryAfter = 10

// noToken asks for a token. RFC 6750 §3.1: no error code for a request that shows no attempt.
func (g *Guard) noToken(required []string) *oauth.Error {
	e := &oauth.Error{Status: http.StatusUnauthorized, Cause: errNoToken}
	e.Challenge = g.challenge(e, required)
	return e
}

var errNoToken = errors.New("no bearer token")

func (g *Guard) invalidRequest(description string) *oauth.Error {
	return g.refusal(http.StatusBadRequest, oauth.CodeInvalidRequest, description, errors.New(description))
}

func (g *Guard) invalidToken(description string, cause error) *oauth.Error {
	return g.refusal(http.StatusUnauthorized, oauth.CodeInvalidToken, description, cause)
}

// foreign refuses a token of another domain and says where it can be exchanged. The foreign issuer is a stranger's text: it
// goes to the log, quoted and cut, and never into the answer.
func (g *Guard) foreign(iss any) *oauth.Error {
	return g.invalidToken("issued by another domain; exchange it at "+g.c.TokenEndpoint, fmt.Errorf("iss is %.200q", fmt.Sprint(iss)))
}

func (g *Guard) insufficientScope(p Principal, required []string) *oauth.Error {
	e := &oauth.Error{
		Code:        oauth.CodeInsufficientScope,
		Description: "this needs the scope " + strings.Join(required, " "),
		Status:      http.StatusForbidden,
		Cause:       fmt.Errorf("jti %.64q of client %.64q has the scope %.200q", p.ID, p.ClientID, strings.Join(p.Scopes, " ")),
	}
	e.Challenge = g.challenge(e, required)
	return e
}

// unavailable refuses without judging the token: a 401 would make clients throw good tokens away.
func (g *Guard) unavailable(cause error) *oauth.Error {
	return &oauth.Error{
		Code:        oauth.CodeUnavailable,
		Description: "tokens cannot be verified at the moment",
		Status:      http.StatusServiceUnavailable,
		RetryAfter:  retryAfter,
		Cause:       cause,
	}
}

func (g *Guard) refusal(status int, code, description string, cause error) *oauth.Error {
	e := &oauth.Error{Code: code, Description: description, Status: status, Cause: cause}
	e.Challenge = g.challenge(e, nil)
	return e
}

// challenge is the WWW-Authenticate value (RFC 6750 §3, RFC 9728 §5.1). Every value in it is ours and was checked to need no
// escape.
func (g *Guard) challenge(e *oauth.Error, scopes []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Bearer realm="%s"`, g.c.Realm)
	if e.Code != "" {
		fmt.Fprintf(&b, `, error="%s", error_description="%s"`, e.Code, e.Description)
	}
	if len(scopes) > 0 {
		fmt.Fprintf(&b, `, scope="%s"`, strings.Join(scopes, " "))
	}
	fmt.Fprintf(&b, `, resource_metadata="%s"`, g.metadataURL)
	return b.String()
}

// refuse writes a refusal and logs its cause.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, e *oauth.Error) {
	level := slog.LevelInfo
	switch {
	case e.Code == oauth.CodeUnavailable:
		level = slog.LevelError
	case errors.Is(e, errNoToken):
		level = slog.LevelDebug // the ordinary first step of a client that looks for the metadata
	}
	g.c.Log.LogAttrs(r.Context(), level, "request refused",
		slog.String("route", r.Pattern), slog.Int("status", e.Status), slog.String("error", e.Code), slog.Any("cause", e.Cause))

	if e.Code != "" {
		oauth.WriteError(w, e, "")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("WWW-Authenticate", e.Challenge)
	w.WriteHeader(e.Status)
}
