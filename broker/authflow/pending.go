package authflow

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"apostille/broker/mint"
	"apostille/broker/store"
	"apostille/trust"
)

// Kinds of store.Pendings. A handle of one never finds another (THREATS A102).
const (
	kindLogin  = "login"
	kindHop    = "login_hop"
	kindResult = "login_result"
)

// maxSecret is the longest upstream.Start.Secret, in bytes.
const maxSecret = 1 << 10

// login is a login under way, kept under its `state`.
type login struct {
	Trust   string    `json:"trust"`
	Request Request   `json:"request"`
	Secret  []byte    `json:"secret"`  // the provider's
	Browser []byte    `json:"browser"` // the browser's mark
	Begun   time.Time `json:"begun"`
}

// result is how a login ended.
type result struct {
	Trust   string       `json:"trust"`
	At      time.Time    `json:"at"`
	Refused trust.Reason `json:"refused,omitempty"`
	Browser []byte       `json:"browser"`
	Return  []byte       `json:"return"` // digest
}

// put stores v under (kind, handle).
func (f *Flow) put(ctx context.Context, kind, handle string, v any, until time.Time) error {
	b, err := shrink(v)
	if err != nil {
		return err
	}
	return f.Pending.PutPending(ctx, kind, handle, store.Pending{Value: b, Until: until})
}

// peek reads what is under (kind, handle) into v, and take removes it as well. A handle of another form finds nothing.
func (f *Flow) peek(ctx context.Context, kind, handle string, v any) (bool, error) {
	return f.fetch(ctx, f.Pending.PeekPending, kind, handle, v)
}

func (f *Flow) take(ctx context.Context, kind, handle string, v any) (bool, error) {
	return f.fetch(ctx, f.Pending.TakePending, kind, handle, v)
}

type fetcher func(ctx context.Context, kind, handle string) (store.Pending, bool, error)

func (f *Flow) fetch(ctx context.Context, get fetcher, kind, handle string, v any) (bool, error) {
	if !mint.IsSecret(handle) {
		return false, nil
	}
	p, ok, err := get(ctx, kind, handle)
	if err != nil || !ok || !p.Until.After(f.Now()) {
		return false, err
	}
	if err := grow(p.Value, v); err != nil {
		return false, fmt.Errorf("authflow: a %s that cannot be read: %w", kind, err)
	}
	return true, nil
}

// digest is what is kept of a secret or of a long text, to compare with later.
func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
