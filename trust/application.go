package trust

import (
	"slices"
	"strconv"
	"strings"
)

// SignsIn says whether an application lets people of a trust in, as far as its own registration says.
func (a *AppSpec) SignsIn(trustID string) bool {
	return a != nil && (len(a.Trusts) == 0 || slices.Contains(a.Trusts, trustID))
}

// ThirdParty says whether people are asked for consent: it is an application, and not our own.
func (c *Client) ThirdParty() bool { return c.Spec.App != nil && !c.Spec.App.FirstParty }

// RedirectURI says whether an authorization response may go to the redirect_uri that a request sent: whether it is one of those
// registered, byte for byte (RFC 9700 §4.1.3), but for the port of a loopback address (RFC 8252 §7.3). "" is a request without
// redirect_uri, which is enough if exactly one is registered (RFC 6749 §3.1.2.3).
func (c *Client) RedirectURI(sent string) bool {
	_, ok := c.Redirect(sent)
	return ok
}

// Redirect returns where the authorization response goes: sent itself if it may be used (see RedirectURI), or the only one registered
// if sent is "". false: to none, and the browser must not be sent anywhere.
func (c *Client) Redirect(sent string) (uri string, ok bool) {
	app := c.Spec.App
	switch {
	case app == nil:
		return "", false
	case sent == "":
		if len(app.RedirectURIs) != 1 {
			return "", false
		}
		return app.RedirectURIs[0], true
	case slices.ContainsFunc(app.RedirectURIs, func(known string) bool { return sent == known || sameButPort(known, sent) }):
		return sent, true
	}
	return "", false
}

// loopbacks are the origins whose port a native application learns only when it listens. The name localhost is not among them: what
// it resolves to is up to others (RFC 8252 §8.3).
var loopbacks = []string{"http://127.0.0.1", "http://[::1]"}

// sameButPort compares two loopback URIs byte for byte, without their ports.
func sameButPort(known, sent string) bool {
	for _, origin := range loopbacks {
		a, isKnown := afterPort(known, origin)
		b, isSent := afterPort(sent, origin)
		if isKnown && isSent {
			return a == b
		}
	}
	return false
}

// afterPort cuts an origin and a port, which may be absent, off a URI. What follows must begin a path or a query, or be nothing:
// "127.0.0.1:80@evil.example" and "127.0.0.1.evil.example" are other hosts.
func afterPort(uri, origin string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(uri, origin)
	if !ok {
		return "", false
	}
	if port, has := strings.CutPrefix(rest, ":"); has {
		digits := len(port) - len(strings.TrimLeft(port, "0123456789"))
		n, err := strconv.ParseUint(port[:digits], 10, 16)
		if err != nil || n == 0 || port[0] == '0' {
			return "", false
		}
		rest = port[digits:]
	}
	return rest, rest == "" || rest[0] == '/' || rest[0] == '?'
}
