package authflow

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"apostille/broker/mint"
	"apostille/upstream"
)

// typical is a login as a careful application begins it: state, nonce and challenge of 256 bits.
func typical() login {
	ret := "/oauth2/authorize?client_id=warehouse-portal&code_challenge=" + mint.NewSecret() + "&code_challenge_method=S256&nonce=" + mint.NewSecret() +
		"&redirect_uri=https%3A%2F%2Fportal.west.hmart.example%2Fcallback&resource=https%3A%2F%2Fwarehouse.west.hmart.example" +
		"&response_type=code&scope=openid+profile+email+offline_access+stock.read&state=" + mint.NewSecret()
	secret := make([]byte, 64)
	_, _ = rand.Read(secret) // it never fails
	return login{
		Trust: "head-office", Secret: secret, Browser: digest(mint.NewSecret()), Begun: time.Date(2026, 11, 23, 9, 0, 0, 123456789, time.UTC),
		Request: Request{Client: "warehouse-portal", ClientName: "Warehouse portal", Return: ret, Cancel: ret + "&result=cancelled",
			Ask: upstream.Ask{LoginHint: "ada@hq.hmart.example", Locales: []string{"de"}}, LoginHint: "ada@hq.hmart.example", Locales: []string{"de"}},
	}
}

// A120: what strangers make us remember is small. It was JSON of 1,400 bytes with the address of the request in it twice.
func TestAnUnfinishedLoginIsSmallAndComesBackWhole(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for range 8 { // tables are shared, one after the other
		wg.Go(func() {
			for range 20 {
				in := typical()
				stored, err := shrink(in)
				if err != nil {
					t.Error(err)
					return
				}
				var out login
				if err := grow(stored, &out); err != nil || !reflect.DeepEqual(in, out) {
					t.Errorf("came back as %+v, %v", out, err)
				}
				if len(stored) > 500 {
					t.Errorf("%d bytes, want 500 at most", len(stored))
				}
			}
		})
	}
	wg.Wait()
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	good, err := shrink(typical())
	if err != nil {
		t.Fatal(err)
	}
	bomb := func() []byte {
		var b bytes.Buffer
		w, _ := flate.NewWriterDict(&b, flate.BestCompression, []byte(common))
		_, _ = io.Copy(w, strings.NewReader(`{"trust":"`+strings.Repeat("x", 1<<20)+`"}`)) // a buffer takes everything
		_ = w.Close()
		return b.Bytes()
	}()
	plain, _ := json.Marshal(typical())
	for name, stored := range map[string][]byte{"nothing": nil, "half of it": good[:len(good)/2], "JSON that was not deflated": plain, "a megabyte in little": bomb} {
		var out login
		if err := grow(stored, &out); err == nil {
			t.Errorf("%s was read: %+v", name, out)
		}
	}
	if _, err := shrink(login{Trust: strings.Repeat("x", maxJSON)}); err == nil {
		t.Error("64 KB were taken")
	}
	var out login
	if err := grow(good, &out); err != nil { // the reader that failed is as good as a new one
		t.Error(err)
	}
}
