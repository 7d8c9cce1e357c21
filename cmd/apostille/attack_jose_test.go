package main

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"apostille/broker/threat"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
)

// TestAttacks sends the attacks of docs/threats.md that fit into one request to every entry of a whole broker.
func TestAttacks(t *testing.T) {
	t.Parallel()
	a := newParties(t, "RS256").begin(t)
	a.warm(t)
	threat.Run(t, a.cases(a.joseAttacks(t))...)
	threat.Run(t, a.cases(a.claimAttacks())...)
	threat.Run(t, a.clientAttacks(t)...)
	threat.Run(t, a.requestAttacks()...)
}

// A44 to A59: tokens as bytes and signatures.
func (a *arena) joseAttacks(t *testing.T) []attack {
	t.Helper()
	stranger := fake.NewKey("ES256")
	var out []attack
	add := func(x attack) { out = append(out, x) }
	for _, alg := range []string{"none", "None", "nOnE", "NONE", "", "none "} {
		add(attack{id: "A44", name: "alg " + alg + " without a signature", reason: trust.ReasonMalformed, change: func(f *forgery) {
			f.header["alg"], f.sign = alg, func([]byte) []byte { return nil }
		}})
		add(attack{id: "A44", name: "alg " + alg + " with the signature of another algorithm", reason: trust.ReasonAlgorithm, change: func(f *forgery) { f.header["alg"] = alg }})
	}
	add(attack{id: "A44", name: "an empty signature under the right algorithm", reason: trust.ReasonMalformed, change: func(f *forgery) { f.sign = func([]byte) []byte { return nil } }})
	add(attack{id: "A44", name: "two parts only", reason: trust.ReasonMalformed, change: func(f *forgery) {
		f.finish = func(token string) string { return token[:strings.LastIndex(token, ".")] }
	}})
	add(attack{id: "A44", name: "no alg at all", reason: trust.ReasonAlgorithm, change: func(f *forgery) { f.header["alg"] = nil }})

	for name, secret := range a.publicKeys(t) {
		for _, alg := range []string{"HS256", "HS512", "hs256"} {
			add(attack{id: "A45", name: alg + " keyed with " + name, reason: trust.ReasonAlgorithm, change: func(f *forgery) {
				f.header["alg"] = alg
				f.sign = func(input []byte) []byte {
					m := hmac.New(sha256.New, secret)
					m.Write(input)
					return m.Sum(nil)
				}
			}})
		}
	}

	for name, value := range a.embeddedKeys(t, stranger.Public().(*ecdsa.PublicKey)) {
		add(attack{id: "A46", name: "a key by " + name, reason: trust.ReasonHeader, change: func(f *forgery) {
			f.header["alg"], f.header[name], f.sign = "ES256", value, by(stranger)
		}})
		add(attack{id: "A46", name: "a key by " + name + " and no kid", reason: trust.ReasonHeader, change: func(f *forgery) {
			f.header["alg"], f.header[name], f.header["kid"], f.sign = "ES256", value, nil, by(stranger)
		}})
	}

	for name, kid := range map[string]string{
		"a path": "../../../../dev/null", "SQL": "x' UNION SELECT 'key' --", "a URL": a.evil.URL + "/jwks", "another key": "office-2",
	} {
		add(attack{id: "A47", name: "a kid that is " + name, reason: trust.ReasonKeyUnknown, dials: 1, change: func(f *forgery) { f.header["kid"] = kid }})
	}
	add(attack{id: "A47", name: "a kid with line breaks", reason: trust.ReasonHeader, change: func(f *forgery) { f.header["kid"] = "k\r\n{\"event\":\"token.issued\"}" }})
	add(attack{id: "A47", name: "a kid of 1 KB", reason: trust.ReasonHeader, change: func(f *forgery) { f.header["kid"] = strings.Repeat("k", 1<<10) }})
	add(attack{id: "A47", name: "a kid of 30 KB", reason: trust.ReasonTooLarge, change: func(f *forgery) { f.header["kid"] = strings.Repeat("k", 30<<10) }})
	add(attack{id: "A47", name: "a kid that is a number", reason: trust.ReasonHeader, change: func(f *forgery) { f.header["kid"] = 1 }})
	add(attack{id: "A47", name: "the kid of this issuer with the key of another", reason: trust.ReasonSignature, change: func(f *forgery) { f.sign = a.partner.Sign }, at: []string{atCloud, atOwn}})

	add(attack{id: "A48", name: "crit with an unknown member", reason: trust.ReasonHeader, change: func(f *forgery) { f.header["crit"], f.header["zz"] = []string{"zz"}, true }})
	add(attack{id: "A48", name: "crit with nothing", reason: trust.ReasonHeader, change: func(f *forgery) { f.header["crit"] = []string{} }})
	add(attack{id: "A48", name: "b64 false", reason: trust.ReasonHeader, change: func(f *forgery) { f.header["b64"], f.header["crit"] = false, []string{"b64"} }})
	add(attack{id: "A48", name: "b64 false without crit", reason: trust.ReasonHeader, change: func(f *forgery) { f.header["b64"] = false }})

	add(attack{id: "A49", name: "flattened JSON", reason: trust.ReasonMalformed, change: finish(func(h, p, s string) string {
		return `{"protected":"` + h + `","payload":"` + p + `","signature":"` + s + `"}`
	})})
	add(attack{id: "A49", name: "general JSON with two signatures", reason: trust.ReasonMalformed, change: finish(func(h, p, s string) string {
		return `{"payload":"` + p + `","signatures":[{"protected":"` + h + `","signature":"` + s + `"},{"protected":"` + h + `","signature":"AAAA"}]}`
	})})
	add(attack{id: "A49", name: "JSON with the token in it", reason: trust.ReasonMalformed, change: finish(func(h, p, s string) string {
		return `{"a":"` + h + "." + p + "." + s + `","payload":"` + p + `"}`
	})})

	for name, spell := range map[string]func(h, p, s string) string{
		"padding":           func(h, p, s string) string { return h + "." + p + "." + s + "==" },
		"one pad":           func(h, p, s string) string { return h + "." + p + "." + s + "=" },
		"trailing bits":     func(h, p, s string) string { return h + "." + p + "." + trailing(s) },
		"a space before":    func(h, p, s string) string { return " " + h + "." + p + "." + s },
		"a line break":      func(h, p, s string) string { return h + "." + p + "." + s + "\n" },
		"a break inside":    func(h, p, s string) string { return h + "." + p[:8] + "\r\n" + p[8:] + "." + s },
		"standard base64":   func(h, p, s string) string { return h + "." + p + "." + s[:len(s)-4] + "+/+/" },
		"a dot behind":      func(h, p, s string) string { return h + "." + p + "." + s + "." },
		"a zero byte":       func(h, p, s string) string { return h + "." + p + "." + s + "\x00" },
		"a cut":             func(h, p, s string) string { return h + "." + p + "." + s[:len(s)-1] },
		"the scheme before": func(h, p, s string) string { return "Bearer " + h + "." + p + "." + s },
	} {
		add(attack{id: "A50", name: "the token with " + name, reason: trust.ReasonMalformed, change: finish(spell)})
	}

	add(attack{id: "A51", name: "sub twice", reason: trust.ReasonMalformed, change: text(t, func(h, c string) (string, string) { return h, c[:len(c)-1] + `,"sub":"admin"}` })})
	add(attack{id: "A51", name: "SUB beside sub", reason: trust.ReasonMalformed, change: text(t, func(h, c string) (string, string) { return h, c[:len(c)-1] + `,"SUB":"admin"}` })})
	add(attack{id: "A51", name: "sub with a long s beside sub", reason: trust.ReasonMalformed, change: text(t, func(h, c string) (string, string) { return h, c[:len(c)-1] + `,"\u017fub":"admin"}` })})
	add(attack{id: "L20", name: "SUB instead of sub", reason: trust.ReasonMalformed, at: []string{atIDToken},
		change: func(f *forgery) { f.claims["sub"], f.claims["SUB"] = nil, "admin" }})
	add(attack{id: "A51", name: "sub escaped beside sub", reason: trust.ReasonMalformed, change: text(t, func(h, c string) (string, string) { return h, c[:len(c)-1] + `,"s\u0075b":"admin"}` })})
	add(attack{id: "A51", name: "aud twice", reason: trust.ReasonMalformed, change: text(t, func(h, c string) (string, string) { return h, c[:len(c)-1] + `,"aud":"other"}` })})
	add(attack{id: "A51", name: "alg twice", reason: trust.ReasonMalformed, change: text(t, func(h, c string) (string, string) { return h[:len(h)-1] + `,"alg":"none"}`, c })})
	add(attack{id: "A51", name: "two objects", reason: trust.ReasonMalformed, change: text(t, func(h, c string) (string, string) { return h, c + c })})
	add(attack{id: "A51", name: "an array of claims", reason: trust.ReasonMalformed, change: text(t, func(h, c string) (string, string) { return h, "[" + c + "]" })})
	add(attack{id: "A51", name: "ALG beside alg", reason: trust.ReasonHeader, change: func(f *forgery) { f.header["ALG"] = "none" }})

	jwe := func(header string) string { return b64.EncodeToString([]byte(header)) }
	for _, x := range []struct{ id, name, token string }{
		{"A55", "an encrypted token", jwe(`{"alg":"RSA-OAEP-256","enc":"A256GCM"}`) + ".a2V5.aXY.dGV4dA.dGFn"},
		{"A56", "a huge p2c", jwe(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"c2FsdA"}`) + ".a2V5.aXY.dGV4dA.dGFn"},
		{"A56", "a compression bomb", jwe(`{"alg":"dir","enc":"A128GCM","zip":"DEF"}`) + "..aXY." + strings.Repeat("A", 8000) + ".dGFn"},
		{"A58", "an encrypted token, cut", jwe(`{"alg":"dir","enc":"A128GCM"}`) + "..aXY.dGV4dA.dA"},
		{"A58", "an encrypted empty nought", jwe(`{"alg":"dir","enc":"A128CBC-HS256"}`) + "...."},
	} {
		add(attack{id: x.id, name: x.name, reason: trust.ReasonMalformed, change: func(f *forgery) { f.finish = func(string) string { return x.token } }})
	}
	add(attack{id: "A55", name: "a signed token with the header of an encrypted one", reason: trust.ReasonHeader, change: func(f *forgery) { f.header["enc"] = "A256GCM" }})
	add(attack{id: "A56", name: "a signed token that says it is compressed", reason: trust.ReasonHeader, change: func(f *forgery) { f.header["zip"] = "DEF" }})
	add(attack{id: "A56", name: "a signed token with p2c", reason: trust.ReasonHeader, change: func(f *forgery) { f.header["p2c"] = 1 << 31 }})

	add(attack{id: "A57", name: "a token of 40 KB", reason: trust.ReasonTooLarge, change: func(f *forgery) { f.claims["padding"] = strings.Repeat("x", 30<<10) }})
	add(attack{id: "A57", name: "thousands of audiences", reason: trust.ReasonTooLarge, change: func(f *forgery) {
		aud := make([]string, 5000)
		for i := range aud {
			aud[i] = ours
		}
		f.claims["aud"] = aud[:800]
	}})
	add(attack{id: "A57", name: "thousands of dots", reason: trust.ReasonMalformed, change: func(f *forgery) { f.finish = func(string) string { return strings.Repeat(".", 10000) } }})
	add(attack{id: "A57", name: "thousands of levels", reason: trust.ReasonMalformed, change: func(f *forgery) {
		f.rawClaims = `{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`
	}})

	for name, sign := range map[string]func(s []byte) []byte{
		"zeros":          func(s []byte) []byte { return make([]byte, len(s)) },
		"a byte short":   func(s []byte) []byte { return s[1:] },
		"a byte long":    func(s []byte) []byte { return append([]byte{0}, s...) },
		"twice":          func(s []byte) []byte { return append(s, s...) },
		"one byte":       func([]byte) []byte { return []byte{1} },
		"a flipped bit":  func(s []byte) []byte { s[len(s)-1] ^= 1; return s },
		"DER":            derOf,
		"all bits set":   func(s []byte) []byte { return []byte(strings.Repeat("\xff", len(s))) },
		"halves swapped": func(s []byte) []byte { return append(s[len(s)/2:], s[:len(s)/2]...) },
	} {
		add(attack{id: "A59", name: "a signature of " + name, reason: trust.ReasonSignature, change: func(f *forgery) {
			inner := f.sign
			f.sign = func(input []byte) []byte { return sign(append([]byte(nil), inner(input)...)) }
		}})
	}
	add(attack{id: "A59", name: "the signature of other claims", reason: trust.ReasonSignature, change: func(f *forgery) {
		inner := f.sign
		f.sign = func(input []byte) []byte { return inner(append(input, 'x')) }
	}})
	return out
}

// text edits header and claims as text, for what no object can say.
func text(t *testing.T, edit func(header, claims string) (string, string)) func(*forgery) {
	return func(f *forgery) { f.rawHeader, f.rawClaims = edit(jsonText(t, f.header), jsonText(t, f.claims)) }
}

// finish edits the three parts of a finished token.
func finish(edit func(header, payload, signature string) string) func(*forgery) {
	return func(f *forgery) {
		f.finish = func(token string) string {
			p := strings.Split(token, ".")
			return edit(p[0], p[1], p[2])
		}
	}
}

// trailing sets a bit of the last character that decodes to nothing. 64 and 256 bytes both end in such a character.
func trailing(signature string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, signature[len(signature)-1])
	return signature[:len(signature)-1] + string(alphabet[last|1])
}

// derOf writes an ES256 signature as ASN.1, as many libraries hand it out; of an RSA signature it is nonsense all the same.
func derOf(s []byte) []byte {
	der, _ := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(s[:32]), new(big.Int).SetBytes(s[32:64])})
	return der
}

// publicKeys are the office's public key in every spelling that a confused verifier might take for an HMAC secret.
func (a *arena) publicKeys(t *testing.T) map[string][]byte {
	t.Helper()
	key := a.office.KeySet().Keys()[0]
	der, err := x509.MarshalPKIXPublicKey(key.Public)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"the PEM": a.office.PEM(), "the PEM without its last line break": []byte(strings.TrimSpace(string(a.office.PEM()))), "the DER": der,
		"the key set": a.office.JWKS(), "nothing": {}, "a PKCS #1 PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: der}),
	}
}

// embeddedKeys are header members that carry or name a stranger's key.
func (a *arena) embeddedKeys(t *testing.T, public *ecdsa.PublicKey) map[string]any {
	t.Helper()
	set, err := jose.MarshalJWKS(jose.NewSet(jose.Key{ID: "e", Algs: []jose.Alg{"ES256"}, Public: public}))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Keys []object }
	if err := json.Unmarshal(set, &doc); err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"jwk": doc.Keys[0], "jku": a.evil.URL + "/jwks", "x5u": a.evil.URL + "/cert", "x5c": []string{"MIIB"}, "jwks": doc,
	}
}

func TestA57_AMegabyteOfTokenIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	for name, token := range map[string]string{"2 MB": strings.Repeat("x", 2<<20), "a million dots": strings.Repeat(".", 1_000_000)} {
		out := a.ask(t, "portal", exchangeForm(token, "jwt"), nil)
		if out.Status != http.StatusBadRequest || out.Error != "invalid_request" || len(out.Audit) != 1 {
			t.Errorf("%s: status %d, error %q, %d records", name, out.Status, out.Error, len(out.Audit))
		}
	}
	if out := a.ask(t, "portal", exchangeForm(a.office.Mint(foreignClaims(a.office)), "jwt"), nil); out.Status != http.StatusOK {
		t.Errorf("the twin was refused: %s", out.Body)
	}
}
