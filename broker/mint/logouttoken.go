package mint

import (
	"errors"
	"time"

	"apostille/trust"
)

// logoutTokenLife is how long a logout token counts: it is delivered at once (OpenID Connect Back-Channel Logout §4 advises two minutes
// at most).
const logoutTokenLife = 2 * time.Minute

// logoutEvent is the member of `events` that makes a token a logout token (OpenID Connect Back-Channel Logout §2.4).
const logoutEvent = `,"events":{"http://schemas.openid.net/event/backchannel-logout":{}}`

// LogoutToken tells an application that a session ended. At least one of Sub and SID is set.
type LogoutToken struct {
	Client string
	App    *trust.AppSpec // algorithm: that of its ID tokens
	Sub    string         // as the application knows it: Minter.Sub has been applied
	SID    string
}

// LogoutToken signs one. It never has a nonce, so that it cannot pass for an ID token.
func (m *Minter) LogoutToken(t LogoutToken, now time.Time) (Token, error) {
	if t.App == nil || t.Client == "" || t.Sub == "" && t.SID == "" {
		return Token{}, errors.New("mint: a logout token needs an application, and a subject or a session")
	}
	out := Token{ID: NewID(), Issued: now.Truncate(time.Second)}
	out.Expires = out.Issued.Add(logoutTokenLife)
	b := m.statement(t.Client, t.Sub, out)
	b = appendText(b, "jti", out.ID)
	b = appendText(b, "sid", t.SID)
	b = append(b, logoutEvent...)
	var err error
	out.Raw, err = m.sign(idTokenAlg(t.App), "logout+jwt", append(b, '}'))
	return out, err
}

// Introspection signs the answer to an introspection request for a client (RFC 9701 §5), with RS256, which is what a client that
// registered nothing expects (§6). It has no sub and no exp, so that it passes for no other token.
func (m *Minter) Introspection(client string, answer []byte, now time.Time) (string, error) {
	b := append([]byte(nil), `{"iss":`...)
	b = appendString(b, m.Issuer)
	b = append(b, `,"aud":`...)
	b = appendString(b, client)
	b = appendTime(b, "iat", now)
	b = append(b, `,"token_introspection":`...)
	b = append(b, answer...)
	return m.sign("RS256", "token-introspection+jwt", append(b, '}'))
}
