package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"strings"
	"time"

	"apostille/upstream/fake"

	"github.com/rogpeppe/go-internal/testscript"
)

// tokenCmd mints a token: token [-online] [-typ TYP] FILE [CLAIM=VALUE …]. exp, iat and nbf are spans from now; a value with
// commas is an array; an empty one leaves the claim out.
func tokenCmd(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value("party").(*party)
	provider, typ := p.offline, "JWT"
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-online":
			provider = p.online
		case "-typ":
			typ, args = args[1], args[1:]
		}
		args = args[1:]
	}
	if len(args) == 0 || neg {
		ts.Fatalf("usage: token [-online] [-typ TYP] FILE [CLAIM=VALUE …]")
	}
	claims := map[string]any{"sub": "svc-replenishment", "aud": "https://id.west.hmart.example", "department": "logistics"}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		claims[name] = claimOf(ts, name, value)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(provider.Mint(claims, fake.Typ(typ))+"\n"), 0o600))
}

func claimOf(ts *testscript.TestScript, name, value string) any {
	switch {
	case value == "":
		return nil
	case name == "exp" || name == "iat" || name == "nbf":
		d, err := time.ParseDuration(value)
		ts.Check(err)
		return time.Now().Add(d).Unix()
	case strings.Contains(value, ","):
		return strings.Split(value, ",")
	}
	return value
}

// rotateCmd has the head office at $ISSUER sign with another key, and withdraw the old one.
func rotateCmd(ts *testscript.TestScript, _ bool, _ []string) {
	p := ts.Value("party").(*party)
	old := p.online.Kid()
	p.online.Rotate()
	p.online.Withdraw(old)
}

// certCmd makes a self-signed certificate: cert FILE SPAN, which says when it expires.
func certCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: cert FILE SPAN")
	}
	ahead, err := time.ParseDuration(args[1])
	ts.Check(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: "HMart Head Office"},
		NotBefore: time.Now().Add(-365 * 24 * time.Hour), NotAfter: time.Now().Add(ahead), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
}

// expandCmd replaces $NAME in files.
func expandCmd(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

// awaitCmd waits until a URL answers 200.
func awaitCmd(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		response, err := http.Get(args[0])
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("%s does not answer", args[0])
}

// aggregateCmd writes the signed metadata of a federation, and what it is signed with to registrar.pem: aggregate FILE NAME …. The last
// argument may be -broken: then the signature does not hold.
func aggregateCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: aggregate FILE NAME … [-broken]")
	}
	registrar, ok := ts.Value("registrar").(*fake.IdP)
	if !ok {
		ts.Fatalf("no registrar")
	}
	var members []fake.Member
	broken := false
	for _, name := range args[1:] {
		if broken = name == "-broken"; broken {
			break
		}
		host := strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".example"
		members = append(members, fake.Member{
			EntityID: "https://idp." + host + "/saml", Name: name, Scope: host, SSO: "https://idp." + host + "/sso", Certificate: registrar.Certificate(),
			Authority: "https://registry.example/", Category: "http://refeds.org/category/research-and-scholarship",
		})
	}
	text := registrar.Aggregate(time.Now().Add(24*time.Hour), members...)
	if broken {
		text = strings.Replace(text, "/sso", "/evil", 1)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("registrar.pem"), registrar.PEM(), 0o600))
}
