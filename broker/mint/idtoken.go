package mint

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"strconv"
	"time"

	"apostille/trust"
)

// maxIDTokenLife bounds an ID token: it says that somebody has signed in, which is news for a while only.
const maxIDTokenLife = time.Hour

// defaultIDTokenAlg is what an application gets that names no other (OpenID Connect Core §15.1: every RP understands it).
const defaultIDTokenAlg = "RS256"

// IDToken is what an ID token tells an application. Client, App and Sub are required.
type IDToken struct {
	Client      string
	App         *trust.AppSpec // algorithm and sector
	Sub         string         // the public one; what is written is Minter.Sub of it
	AuthTime    time.Time      // zero: the upstream did not say
	ACR         string         // "" = none
	Nonce       string         // of the authorization request; "" = none
	SID         string         // see trust.SID; "" = none
	AccessToken string         // that comes with it, for at_hash; "" = none
	Expires     time.Time      // bound, such as the access token's
	Claims      map[string]any // about the person, see PersonClaims; none of the names above
}

// IDToken signs an ID token. It lives for an hour at most.
func (m *Minter) IDToken(t IDToken, now time.Time) (Token, error) {
	if t.App == nil || t.Client == "" || t.Sub == "" {
		return Token{}, errors.New("mint: an ID token needs an application and a subject")
	}
	out := Token{Issued: now.Truncate(time.Second), Expires: now.Add(maxIDTokenLife)}
	if t.Expires.Before(out.Expires) {
		out.Expires = t.Expires
	}
	if out.Expires = out.Expires.Truncate(time.Second); !out.Expires.After(out.Issued) {
		return Token{}, errors.New("mint: the ID token would have no lifetime")
	}
	alg := idTokenAlg(t.App)
	b := m.statement(t.Client, m.Sub(t.App, t.Sub), out)
	b = appendTime(b, "auth_time", t.AuthTime)
	b = appendText(b, "acr", t.ACR)
	b = appendText(b, "nonce", t.Nonce)
	b = appendText(b, "sid", t.SID)
	if t.AccessToken != "" {
		b = appendText(b, "at_hash", halfHash(alg, t.AccessToken))
	}
	b, err := appendClaims(b, t.Claims)
	if err != nil {
		return Token{}, err
	}
	out.Raw, err = m.sign(alg, "JWT", append(b, '}'))
	return out, err
}

// statement begins the claims of a token about a sign-in: whose, for whom and how long.
func (m *Minter) statement(client, sub string, t Token) []byte {
	b := make([]byte, 0, 512)
	b = append(b, `{"iss":`...)
	b = appendString(b, m.Issuer)
	b = appendText(b, "sub", sub)
	b = appendText(b, "aud", client)
	b = append(b, `,"iat":`...)
	b = strconv.AppendInt(b, t.Issued.Unix(), 10)
	b = append(b, `,"exp":`...)
	return strconv.AppendInt(b, t.Expires.Unix(), 10)
}

// Sub is what an application knows a person by: the public sub, or that of the application's sector (OpenID Connect Core §8.1).
func (m *Minter) Sub(app *trust.AppSpec, sub string) string {
	if app == nil || app.Sector == "" {
		return sub
	}
	return trust.PairwiseSub(m.Salt, app.Sector, sub)
}

func idTokenAlg(app *trust.AppSpec) string {
	if app.IDTokenAlg == "" {
		return defaultIDTokenAlg
	}
	return app.IDTokenAlg
}

// halfHash is at_hash (OpenID Connect Core §3.1.3.6): the left half of the hash that the algorithm uses; Ed25519 uses SHA-512 (RFC 8032
// §5.1).
func halfHash(alg, token string) string {
	if alg == "EdDSA" {
		sum := sha512.Sum512([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
