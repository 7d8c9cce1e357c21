package main_test

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// goFloor is the oldest Go release whose encoding/xml, encoding/asn1, net/url, html/template and crypto/x509 have the
// fixes we rely on.
const goFloor = "1.26.6"

// floors are the oldest versions with the fixes we rely on; they hold for every module that go.mod requires, directly
// or not. The vulnerability database is not reachable everywhere, this test is.
var floors = map[string]string{
	"github.com/BurntSushi/toml":          "v1.6.0",
	"github.com/beevik/etree":             "v1.8.1",
	"github.com/coreos/go-oidc/v3":        "v3.21.0",
	"github.com/crewjam/saml":             "v0.5.1",
	"github.com/go-jose/go-jose/v4":       "v4.1.8",
	"github.com/golang-jwt/jwt/v4":        "v4.5.2",
	"github.com/gorilla/securecookie":     "v1.1.2",
	"github.com/gorilla/sessions":         "v1.4.0",
	"github.com/lestrrat-go/jwx/v2":       "v2.1.7",
	"github.com/pressly/goose/v3":         "v3.29.0",
	"github.com/prometheus/client_golang": "v1.25.0",
	"github.com/russellhaering/goxmldsig": "v1.6.1",
	"golang.org/x/crypto":                 "v0.58.0",
	"golang.org/x/oauth2":                 "v0.37.0",
	"modernc.org/sqlite":                  "v1.60.1",
}

func TestL13_L35_RequiredVersionsAreAtLeastTheFloors(t *testing.T) {
	t.Parallel()
	var mod struct {
		Go        string
		Toolchain string
		Require   []struct{ Path, Version string }
		Replace   []struct{ Old struct{ Path string } }
	}
	if err := json.Unmarshal([]byte(output(t, "go", "mod", "edit", "-json")), &mod); err != nil {
		t.Fatalf("go mod edit answered no JSON: %v", err)
	}
	if older(mod.Go, goFloor) && older(strings.TrimPrefix(mod.Toolchain, "go"), goFloor) {
		t.Errorf("go.mod asks for go %s (toolchain %q), the floor is %s", mod.Go, mod.Toolchain, goFloor)
	}
	for _, m := range mod.Require {
		if floor, ok := floors[m.Path]; ok && older(m.Version, floor) {
			t.Errorf("go.mod requires %s %s, the floor is %s", m.Path, m.Version, floor)
		}
	}
	for _, r := range mod.Replace {
		t.Errorf("go.mod replaces %s: a replacement goes around the floors", r.Old.Path)
	}
}

func TestOlderComparesNumbersNotText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, a, b string
		want       bool
	}{
		{"a lower patch is older", "v4.1.7", "v4.1.8", true},
		{"a patch of two digits is newer", "v4.1.10", "v4.1.8", false},
		{"the floor itself is not older", "v0.58.0", "v0.58.0", false},
		{"a lower minor is older whatever its patch", "v1.5.9", "v1.6.1", true},
		{"a go line without patch is its first release", "1.26", "1.26.6", true},
		{"a pre-release of the floor is older", "v1.6.1-rc.1", "v1.6.1", true},
		{"no version is older than any", "", "1.26.6", true},
	} {
		if got := older(c.a, c.b); got != c.want {
			t.Errorf("%s: older(%q, %q) = %v", c.name, c.a, c.b, got)
		}
	}
}

// older tells whether version a precedes b. Both have up to three numbers; what follows a "-" makes a pre-release.
func older(a, b string) bool {
	a, aPre, _ := strings.Cut(strings.TrimPrefix(a, "v"), "-")
	b, bPre, _ := strings.Cut(strings.TrimPrefix(b, "v"), "-")
	as, bs := numbers(a), numbers(b)
	for i := range as {
		if as[i] != bs[i] {
			return as[i] < bs[i]
		}
	}
	return cmp.Compare(len(aPre), 0) > cmp.Compare(len(bPre), 0)
}

func numbers(version string) (n [3]int) {
	for i, part := range strings.SplitN(version, ".", 3) {
		digits := part[:len(part)-len(strings.TrimLeft(part, "0123456789"))]
		n[i], _ = strconv.Atoi(digits) // no digits count as 0
	}
	return n
}
