package federation

import (
	"strings"
	"testing"

	"apostille/trust/xmlsec"
)

// FuzzEntity: whatever the registrar signs, reading it does not panic, and what is found can be used.
func FuzzEntity(f *testing.F) {
	f.Add(alone(1, until))
	f.Add(strings.Replace(alone(2, until), "Redirect", "POST", 1))
	f.Fuzz(func(t *testing.T, document string) {
		e, err := xmlsec.Parse([]byte(document))
		if err != nil {
			return
		}
		r := reader{federation: "edu", language: "de"}
		in, why := r.entity(e)
		if (in == nil) == (why == "") {
			t.Fatalf("neither in nor out: %q", why)
		}
		if in == nil {
			return
		}
		if in.member.Name == "" || len(in.member.Name) > maxEntityID || len(in.detail.Certificates) == 0 ||
			!strings.HasPrefix(in.detail.Redirect+in.detail.Post, "https://") {
			t.Errorf("taken: %+v", in)
		}
		in.detail.open()
	})
}
