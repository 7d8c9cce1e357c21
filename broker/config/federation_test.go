package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/trust"
)

const educationFederation = `
[federation.edu]
name = "Education"
url = "https://md.edu.example/idps.xml"
certificates = ["office.pem"]
refresh = "6h"
require = { eduPersonAffiliation = "member" }

[federation.edu.exchange]
saml2 = {}

[federation.edu.login]
name_id_format = "persistent"
attributes = { "urn:oid:0.9.2342.19200300.100.1.3" = "email" }

[[federation.edu.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.read"]
members = { categories = ["http://refeds.org/category/research-and-scholarship"], registration_authorities = ["https://registry.example/"], attributes = { "urn:x" = ["1", "2"] } }
`

func TestAFederationIsOneEntry(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withOffice(t, educationFederation))
	src := c.Federations["edu"]
	if src.URL != "https://md.edu.example/idps.xml" || len(src.Keys) != 1 || src.Refresh != 6*time.Hour || src.MaxValidity != 1440*time.Hour || src.Language != "en" || src.Dev {
		t.Errorf("source: %+v", src)
	}
	ways := c.FederationLogins["edu"]
	if ways.SSOURL != "" || !ways.SignRequests || !strings.HasSuffix(ways.NameIDFormat, ":persistent") || len(ways.Attributes) != 1 {
		t.Errorf("login: %+v", ways)
	}
	f, _ := c.Registry.Federation("edu")
	if f.Spec.SAML2 == nil || f.Spec.Login.Protocol != trust.ProtocolSAML || f.Spec.Login.SessionMax != trust.DefaultSessionMax ||
		!slices.Equal(f.Spec.Grants[0].Members.Attributes["urn:x"], []string{"1", "2"}) {
		t.Errorf("policy: %+v", f.Spec)
	}
	if _, ok := c.Keys["edu"]; ok {
		t.Error("it has keys of its own")
	}
	for _, want := range []string{"federation edu (Education)", "members by url:https://md.edu.example/idps.xml", "takes saml2 for https://id.example",
		"member registered by https://registry.example/", "people sign in with it (saml)"} {
		if text := Summarize(c).String(); !strings.Contains(text, want) {
			t.Errorf("the summary lacks %q:\n%s", want, text)
		}
	}
	if text := Effective(c); !strings.Contains(text, "[federation.edu]") || !strings.Contains(text, `attributes = { "urn:x" = ["1", "2"] }`) {
		t.Errorf("it is not shown:\n%s", text)
	}
	if !slices.ContainsFunc(c.Files, func(f string) bool { return filepath.Base(f) == "office.pem" }) {
		t.Error("its certificate is not watched")
	}
}

func TestAFederationMayStandInTrustD(t *testing.T) {
	t.Parallel()
	files := withOffice(t, "")
	files["trust.d/edu.toml"] = edit(t, educationFederation, `"office.pem"`, `"../office.pem"`)
	if c := mustLoad(t, files); c.Federations["edu"].URL == "" {
		t.Error("it is not read")
	}
}

func TestATrustRefinesAMember(t *testing.T) {
	t.Parallel()
	refined := educationFederation + `
[trust.uni]
issuer = "https://idp.uni.example/saml"
keys = { federation = "edu" }

[trust.uni.login]
protocol = "saml"
logout = true
`
	c := mustLoad(t, withOffice(t, refined))
	uni, _ := c.Registry.Trust("uni")
	if uni.Spec.Federation != "edu" || uni.Spec.KeySource != "federation:edu" || c.SAMLLogins["uni"].SSOURL != "" {
		t.Errorf("%+v", uni.Spec)
	}
	if _, ok := c.Keys["uni"]; ok {
		t.Error("it has keys of its own")
	}
}

func TestWhatAFederationMayNotSay(t *testing.T) {
	t.Parallel()
	refined := "\n[trust.uni]\nissuer = \"https://idp.uni.example/saml\"\nkeys = { federation = \"edu\" }\n[trust.uni.exchange]\nsaml2 = {}\n"
	for _, c := range []struct{ name, old, replacement, path, text string }{
		{"A41_http", `"https://md`, `"http://md`, "federation.edu.url", "over http"},
		{"A41_a password in the URL", `"https://md`, `"https://me:secret@md`, "federation.edu.url", "not a URL"},
		{"A41_no certificate", `certificates = ["office.pem"]`, "", "federation.edu.certificates", "missing"},
		{"A41_an empty list", `["office.pem"]`, `[]`, "federation.edu.certificates", "0 elements"},
		{"a file that is no certificate", `["office.pem"]`, `["good.json"]`, "federation.edu.certificates[0]", "good.json"},
		{"no source", `url = "https://md.edu.example/idps.xml"`, "", "federation.edu", "none of url, file, mdq"},
		{"two sources", `url =`, "file = \"md.xml\"\nurl =", "federation.edu.file", "stands beside"},
		{"a place of its own", `name_id_format`, "sso_url = \"https://x.example\"\nname_id_format", "federation.edu.login.sso_url", "unknown key"},
		{"roots for a file", `url = "https://md.edu.example/idps.xml"`, "file = \"md.xml\"\nca_file = \"office.pem\"", "federation.edu.ca_file", "no effect"},
		{"members of a trust", `[federation.edu]`, "[[trust.head-office.grant]]\nclients = [\"portal\"]\napi = \"warehouse\"\nscopes = [\"stock.read\"]\nmembers = {}\n[federation.edu]", "trust.head-office.grant[1].members", "unknown key"},
		{"a refinement of no such federation", `[federation.edu]`, strings.Replace(refined, `"edu"`, `"none"`, 1) + "[federation.edu]", "trust.uni.keys.federation", "no federation"},
		{"JWTs with the keys of a federation", `[federation.edu]`, strings.Replace(refined, "saml2 = {}", `jwt = { audiences = ["https://id.example"] }`, 1) + "[federation.edu]", "trust.uni.keys.federation", "assertions only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			issues := mustFail(t, withOffice(t, edit(t, educationFederation, c.old, c.replacement)))
			if !slices.ContainsFunc(issues, func(i Issue) bool { return i.Path == c.path && strings.Contains(i.Text, c.text) && i.Remedy != "" }) {
				t.Errorf("no fault %q at %s:\n%v", c.text, c.path, issues)
			}
		})
	}
	mustLoad(t, withOffice(t, educationFederation+refined)) // the twin
}
