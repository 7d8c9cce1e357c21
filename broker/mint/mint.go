package mint

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"apostille/broker/keyring"
	"apostille/trust"
	"apostille/trust/jose"
)

// MaxToken is the longest token issued, in bytes: what commonly fits into a header line.
const MaxToken = 8 << 10

// ErrTooLarge says that mapped claims make the token longer than MaxToken.
var ErrTooLarge = errors.New("the token would be larger than 8 KB: map fewer or smaller claims")

// Signers gives the key that signs now; *keyring.Ring implements it.
type Signers interface {
	Signer(jose.Alg) (keyring.Signer, error)
}

// formatOpaque is the trust.TokenSpec.Format of access tokens that are mere handles.
const formatOpaque = "opaque"

// Minter issues tokens.
type Minter struct {
	Issuer string
	Keys   Signers
	Salt   []byte // of pairwise subjects, see trust.PairwiseSub; needed only where clients have a sector
}

// Token is an issued token.
type Token struct {
	Raw     string
	ID      string // jti; "" for an ID token
	Issued  time.Time
	Expires time.Time
	// Claims are those of an opaque token, as JSON: they are not in Raw, and MUST be stored under its SHA-256 before Raw is given out.
	// nil: Raw is a JWT or an assertion.
	Claims []byte
}

// Mint makes the access token that a decision grants: a signed JWT, or a handle or an assertion where the API wants that. A decision that does not
// grant is an error.
func (m *Minter) Mint(d *trust.Decision, now time.Time) (Token, error) {
	if !d.Granted {
		return Token{}, errors.New("mint: the decision does not grant")
	}
	if len(d.Audience) == 0 {
		return Token{}, errors.New("mint: the decision names no audience")
	}
	// NumericDate has whole seconds: iat and exp both round down, so that exp never grows.
	t := Token{ID: NewID(), Issued: now.Truncate(time.Second), Expires: d.Expires.Truncate(time.Second)}
	if !t.Expires.After(t.Issued) {
		return Token{}, errors.New("mint: the token would have no lifetime")
	}
	if d.Token.Format == trust.FormatSAML2 {
		var err error
		t.ID = "_" + t.ID // an xs:ID begins with no digit
		t.Raw, err = m.assertion(d, t)
		return t, err
	}
	payload, err := m.payload(d, t)
	if err != nil {
		return Token{}, err
	}
	if d.Token.Format == formatOpaque {
		t.Raw, t.Claims = NewSecret(), payload
		if len(payload) > MaxToken {
			return Token{}, ErrTooLarge
		}
		return t, nil
	}
	t.Raw, err = m.sign(d.Token.Alg, d.Token.Typ, payload)
	return t, err
}

// sign signs a payload with the key that signs now. Its error wraps ErrTooLarge where the result is.
func (m *Minter) sign(alg, typ string, payload []byte) (string, error) {
	key, err := m.Keys.Signer(jose.Alg(alg))
	if err != nil {
		return "", err
	}
	raw, err := jose.Sign(key.Alg, key.Kid, typ, payload, key.Key)
	switch {
	case errors.Is(err, jose.ErrTooLarge) || len(raw) > MaxToken:
		return "", ErrTooLarge
	case err != nil:
		return "", fmt.Errorf("mint: %w", err)
	}
	return raw, nil
}

// payload writes the claims in a fixed order, mapped claims last and sorted.
func (m *Minter) payload(d *trust.Decision, t Token) ([]byte, error) {
	b := make([]byte, 0, 512)
	b = append(b, `{"iss":`...)
	b = appendString(b, m.Issuer)
	b = append(b, `,"sub":`...)
	b = appendString(b, d.Sub)
	b = append(b, `,"aud":`...)
	b = appendAudience(b, d.Audience)
	b = append(b, `,"client_id":`...)
	b = appendString(b, d.ClientID)
	b = append(b, `,"scope":`...)
	b = appendString(b, strings.Join(d.Scopes, " "))
	b = append(b, `,"iat":`...)
	b = strconv.AppendInt(b, t.Issued.Unix(), 10)
	b = append(b, `,"exp":`...)
	b = strconv.AppendInt(b, t.Expires.Unix(), 10)
	b = append(b, `,"jti":`...)
	b = appendString(b, t.ID)
	b = append(b, `,"idp":`...)
	b = appendString(b, d.Trust)
	if d.Links > 0 {
		b = append(b, `,"links":`...)
		b = strconv.AppendInt(b, int64(d.Links), 10)
	}
	b = appendSignIn(b, d)
	b, err := appendClaims(b, d.Claims)
	return append(b, '}'), err
}

// appendSignIn says of a token that began with a sign-in how that went (RFC 9068 §2.2.1), and what it ends with.
func appendSignIn(b []byte, d *trust.Decision) []byte {
	b = appendTime(b, "auth_time", d.AuthTime)
	b = appendText(b, "acr", d.ACR)
	return appendText(b, "family", d.Family)
}

// appendText and appendTime write a further member, unless it has no value.
func appendText(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(append(append(b, `,"`...), name...), `":`...)
	return appendString(b, value)
}

func appendTime(b []byte, name string, at time.Time) []byte {
	if at.IsZero() {
		return b
	}
	b = append(append(append(b, `,"`...), name...), `":`...)
	return strconv.AppendInt(b, at.Unix(), 10)
}

func appendClaims(b []byte, claims map[string]any) ([]byte, error) {
	if len(claims) == 0 {
		return b, nil
	}
	names := make([]string, 0, len(claims))
	for name := range claims {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value, err := json.Marshal(claims[name])
		if err != nil {
			return nil, fmt.Errorf("mint: claim %s: %w", name, err)
		}
		b = append(b, ',')
		b = appendString(b, name)
		b = append(b, ':')
		b = append(b, value...)
	}
	return b, nil
}

// appendAudience writes one audience as a plain string: several verifiers compare strings (RFC 7519 §4.1.3 allows both).
func appendAudience(b []byte, aud []string) []byte {
	if len(aud) == 1 {
		return appendString(b, aud[0])
	}
	for i, a := range aud {
		b = append(b, "[,"[min(i, 1)])
		b = appendString(b, a)
	}
	return append(b, ']')
}

// appendString writes a JSON string; most need no escaping.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// NewSecret makes what nobody may guess, such as a code, a refresh token or a cookie: 256 random bits in 43 characters (RFC 6749 §10.10).
func NewSecret() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand aborts the program instead
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// IsSecret reports whether text has the form of a secret, in its one spelling.
func IsSecret(text string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(raw) == 32 && len(text) == 43 // the decoder skips line breaks
}

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID makes an identifier for a token or a request: 128 random bits in 26 letters and digits.
func NewID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand aborts the program instead
	var text [26]byte
	idEncoding.Encode(text[:], raw[:])
	return string(text[:])
}
