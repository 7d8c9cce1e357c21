package clientauth_test

import (
	"crypto/sha256"
	"testing"

	"apostille/broker/clientauth"
	"apostille/broker/oauth"
	"apostille/trust"
)

func TestA106_OnlyAPublicApplicationNeedsNoCredential(t *testing.T) {
	t.Parallel()
	app := func(public bool) *trust.AppSpec { return &trust.AppSpec{Public: public} }
	for _, c := range []struct {
		name   string
		client string
		spec   trust.ClientSpec
		secret bool
		public bool // what the endpoint allows
		params []string
		ok     bool
	}{
		{"a public application where the endpoint allows it", "phone", trust.ClientSpec{App: app(true)}, false, true, nil, true},
		{"a public application where the endpoint does not", "phone", trust.ClientSpec{App: app(true)}, false, false, nil, false},
		{"a confidential application without its secret", "phone", trust.ClientSpec{App: app(false)}, true, true, nil, false},
		{"a confidential application that was registered with nothing", "phone", trust.ClientSpec{App: app(false)}, false, true, nil, false},
		{"a client that signs nobody in", "phone", trust.ClientSpec{}, false, true, nil, false},
		{"a disabled public application", "phone", trust.ClientSpec{App: app(true), Disabled: true}, false, true, nil, false},
		{"a public application with a secret on file", "phone", trust.ClientSpec{App: app(true)}, true, true, nil, false},
		{"a public application that sends a secret", "phone", trust.ClientSpec{App: app(true)}, false, true, []string{"client_secret", secret}, false},
		{"an unknown client", "nobody", trust.ClientSpec{App: app(true)}, false, true, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench()
			b.clients["phone"] = &trust.Client{ID: "phone", Spec: c.spec}
			if c.secret {
				b.credentials["phone"] = clientauth.Credential{SecretSHA256: [][32]byte{sha256.Sum256([]byte(secret))}}
			}
			id, err := b.auth.Authenticate(t.Context(), clientauth.Request{
				Clients: b.clients, Credentials: b.credentials, Public: c.public,
				Params: oauth.ParamsOf(append([]string{"client_id", c.client}, c.params...)...),
			})
			if c.ok {
				granted(t, id, err, "phone")
				return
			}
			if e := refused(t, id, err, trust.ReasonClientAuth); e.Client != c.client {
				t.Errorf("the refusal is about %q", e.Client)
			}
		})
	}
}
