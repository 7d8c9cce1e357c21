package authflow

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"apostille/broker/store"
)

// Strangers decide how many logins are under way, so what is kept of each is small: JSON, deflated (RFC 1951). A request holds its own
// address twice, and most of the rest are names that every request has; what is left is little more than its random values.

// common is the preset dictionary: what most of them share, the likeliest last. What is stored cannot be read with another one.
const common = `","hint":"","login_hint":"","trusts":["","ask":{"Force":false,"Select":false,"MaxAge":0,"HasMaxAge":false,"LoginHint":"","ACRValues":null,"Locales":["` +
	`prompt=login&response_mode=form_post&resource=https%3A%2F%2Frequest_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A` +
	`{"trust":"","request":{"client":"","name":"","return":"/oauth2/authorize?client_id=&code_challenge=&code_challenge_method=S256&nonce=` +
	`&redirect_uri=https%3A%2F%2F%2Fcallback&response_type=code&scope=openid+profile+email+offline_access&state=` +
	`","cancel":"/oauth2/authorize?client_id=&result=cancelled"},"secret":"","browser":"=","begun":"2026-`

// maxJSON bounds what is read back: nothing that was stored is longer.
const maxJSON = 64 << 10

// Deflating takes most of a megabyte of tables, which the next one finds again.
var (
	writers = sync.Pool{New: func() any {
		w, err := flate.NewWriterDict(io.Discard, flate.DefaultCompression, []byte(common))
		if err != nil {
			panic(err) // only for a level that does not exist
		}
		return w
	}}
	readers = sync.Pool{New: func() any { return flate.NewReaderDict(bytes.NewReader(nil), []byte(common)) }}
)

// shrink is v as it is stored.
func shrink(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(text) > maxJSON {
		return nil, fmt.Errorf("%w: %d bytes to remember", store.ErrInvalid, len(text))
	}
	var b bytes.Buffer
	w := writers.Get().(*flate.Writer)
	defer writers.Put(w)
	w.Reset(&b)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// grow reads into v what shrink made.
func grow(stored []byte, v any) error {
	r := readers.Get().(io.ReadCloser)
	defer readers.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(stored), []byte(common)); err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(r, maxJSON+1))
	if err != nil {
		return err
	}
	if len(text) > maxJSON {
		return fmt.Errorf("authflow: more than %d bytes", maxJSON)
	}
	return json.Unmarshal(text, v)
}
