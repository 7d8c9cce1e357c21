package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"apostille/broker/oauth"
	"apostille/broker/threat"
	"apostille/trust"
	"apostille/upstream/fake"
)

type object = map[string]any

// forgery is a token in the making: a good one that an attack bends.
type forgery struct {
	header, claims object
	rawHeader      string // instead of header
	rawClaims      string // instead of claims
	sign           func(input []byte) []byte
	finish         func(token string) string
}

var b64 = base64.RawURLEncoding

// token signs what stands there, whatever the header says.
func (f *forgery) token(t testing.TB) string {
	t.Helper()
	header, claims := f.rawHeader, f.rawClaims
	if header == "" {
		header = jsonText(t, f.header)
	}
	if claims == "" {
		claims = jsonText(t, f.claims)
	}
	input := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(claims))
	token := input + "." + b64.EncodeToString(f.sign([]byte(input)))
	if f.finish != nil {
		token = f.finish(token)
	}
	return token
}

func jsonText(t testing.TB, o object) string {
	t.Helper()
	clean := maps.Clone(o)
	maps.DeleteFunc(clean, func(_ string, v any) bool { return v == nil })
	b, err := json.Marshal(clean)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// by signs with a key of RSA or P-256, as RS256 or ES256.
func by(key crypto.Signer) func(input []byte) []byte {
	return func(input []byte) []byte {
		digest := sha256.Sum256(input)
		der, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			panic(err)
		}
		if _, ok := key.Public().(*ecdsa.PublicKey); !ok {
			return der
		}
		var sig struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(der, &sig); err != nil {
			panic(err)
		}
		return append(sig.R.FillBytes(make([]byte, 32)), sig.S.FillBytes(make([]byte, 32))...)
	}
}

// Names of entries.
const (
	atJWT         = "exchange of a jwt"
	atAccessToken = "exchange of an access_token"
	atIDToken     = "exchange of an id_token"
	atBearer      = "jwt bearer grant"
	atCloud       = "exchange without client authentication"
	atOwn         = "exchange of our own token"
	atAssertion   = "client assertion"
)

// from begins a token of a provider.
func from(p *fake.Provider) *forgery {
	return &forgery{
		header: object{"alg": p.KeySet().Keys()[0].Algs[0], "kid": p.Kid(), "typ": "JWT"}, claims: foreignClaims(p), sign: p.Sign,
	}
}

// good is the token that an entry accepts.
func (a *arena) good(at threat.Entry) *forgery {
	now := time.Now()
	common := object{"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": rand.Text()}
	var f *forgery
	switch at.Name {
	case atAssertion:
		f = &forgery{header: object{"alg": "ES256", "kid": "r1", "typ": "JWT"}, sign: by(a.robot)}
		f.claims = object{"iss": "robot", "sub": "robot", "aud": ours, "exp": now.Add(time.Minute).Unix()}
	case atOwn:
		k, err := a.server.ring.Signer("ES256")
		if err != nil {
			panic(err)
		}
		f = &forgery{header: object{"alg": "ES256", "kid": k.Kid, "typ": "at+jwt"}, sign: by(k.Key)}
		f.claims = object{"iss": ours, "sub": trust.DeriveSub(a.office.Issuer(), "sub", "svc-1"), "aud": warehouseAud,
			"client_id": "portal", "scope": "stock.read", "idp": "office", "links": 1}
	case atCloud:
		f = from(a.cloud)
	case atIDToken:
		f = from(a.office)
		f.claims["aud"], f.claims["nonce"] = "office-app", "n-1"
	default:
		f = from(a.office)
	}
	for name, v := range common {
		if _, set := f.claims[name]; !set {
			f.claims[name] = v
		}
	}
	return f
}

// entry is one way in.
func (a *arena) entry(name string) threat.Entry {
	return threat.Entry{Name: name, Send: func(t testing.TB, in threat.Input) threat.Outcome {
		t.Helper()
		client, form := "portal", url.Values(nil)
		switch name {
		case atAccessToken:
			form = exchangeForm(in.Token, "access_token")
		case atIDToken:
			form = exchangeForm(in.Token, "id_token")
		case atBearer:
			form = bearerForm(in.Token)
		case atCloud:
			client, form = "", exchangeForm(in.Token, "jwt")
		case atOwn:
			client, form = "gateway", exchangeForm(in.Token, "access_token")
			form.Set("audience", "inventory")
			form.Set("scope", "items.read")
		case atAssertion:
			client, form = "", ownForm()
			form.Set("client_assertion_type", oauth.AssertionTypeJWT)
			form.Set("client_assertion", in.Token)
		default:
			form = exchangeForm(in.Token, "jwt")
		}
		if in.TokenType != "" {
			form.Set("subject_token_type", in.TokenType)
		}
		for name, values := range in.Form {
			form = with(form, name, values...)
		}
		header := http.Header{}
		for name, values := range in.Header {
			header[name] = values
		}
		return a.ask(t, client, form, header).Outcome
	}}
}

func (a *arena) entries(names ...string) []threat.Entry {
	var out []threat.Entry
	for _, name := range names {
		out = append(out, a.entry(name))
	}
	return out
}

// bend makes a Build of the entry's good token, changed.
func (a *arena) bend(change func(f *forgery)) threat.Build {
	return func(t testing.TB, at threat.Entry) threat.Input {
		f := a.good(at)
		if change != nil {
			change(f)
		}
		return threat.Input{Token: f.token(t)}
	}
}

var (
	foreign = []string{atJWT, atAccessToken, atIDToken, atBearer, atCloud}
	subject = append(append([]string(nil), foreign...), atOwn)
)

// attack is a Case before its entries are known: what is done to a good token.
type attack struct {
	id, name string
	change   func(f *forgery)
	reason   trust.Reason
	at       []string // nil = every entry for subject tokens
	dials    int
}

// cases runs each attack at the entries for subject tokens, and, where at is nil, at the client assertion as well.
func (a *arena) cases(attacks []attack) []threat.Case {
	var out []threat.Case
	for _, x := range attacks {
		at := x.at
		if at == nil {
			at = append(slices.Clone(subject), atAssertion)
		}
		for _, name := range at {
			c := threat.Case{ID: x.id, Name: x.name + " at " + name, Attack: a.bend(x.change), Twin: a.bend(nil), Reason: x.reason,
				Entries: a.entries(name), Dials: x.dials}
			switch name {
			case atAssertion: // to a stranger, whatever is wrong with it is one and the same
				c.Reason, c.Unrecorded = trust.ReasonClientAuth, true
			case atCloud:
				c.Unrecorded = true
			}
			out = append(out, c)
		}
	}
	return out
}
