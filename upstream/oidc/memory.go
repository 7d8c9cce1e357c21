package oidc

import (
	"crypto/sha256"

	"github.com/maypok86/otter/v2"

	"apostille/trust"
)

// DefaultCapacity is how many KiB of verified tokens are remembered, each counted as 1 KiB at least.
const DefaultCapacity = 16384

// memory remembers verified tokens under one registry: another registry starts with an empty one, so that no policy is ever
// applied to a result of an older one (THREATS A73). Failures are not remembered.
type memory struct {
	reg   *trust.Registry
	cache *otter.Cache[memoryKey, result] // nil = remembers nothing
}

// memoryKey holds everything of a call that the result depends on, besides what is compared at each use.
type memoryKey struct {
	digest [sha256.Size]byte
	want   Want
}

// result is what verification found. It holds for as long as the trust's keys have the version and the times allow.
type result struct {
	subject trust.Subject
	times   times
	version uint64
	weight  uint32 // KiB of the token, rounded up: its decoded claims take a multiple of that
}

// remembered returns the memory for reg.
func (v *Verifier) remembered(reg *trust.Registry) *memory {
	old := v.memory.Load()
	if old != nil && old.reg == reg {
		return old
	}
	m := &memory{reg: reg}
	if v.Capacity >= 0 {
		capacity := v.Capacity
		if capacity == 0 {
			capacity = DefaultCapacity
		}
		m.cache = otter.Must(&otter.Options[memoryKey, result]{
			MaximumWeight: uint64(capacity),
			Weigher:       func(_ memoryKey, r result) uint32 { return r.weight },
		})
	}
	if !v.memory.CompareAndSwap(old, m) {
		// Somebody else made one; this call then works with a memory of its own.
		if now := v.memory.Load(); now.reg == reg {
			return now
		}
	}
	return m
}

func (m *memory) key(raw string, want Want) memoryKey {
	if m.cache == nil {
		return memoryKey{}
	}
	k := memoryKey{want: want}
	h := sha256.New()
	var part [512]byte // a conversion to []byte would copy the whole token to the heap
	for raw != "" {
		n := copy(part[:], raw)
		h.Write(part[:n])
		raw = raw[n:]
	}
	h.Sum(k.digest[:0])
	return k
}

func (m *memory) get(k memoryKey) (result, bool) {
	if m.cache == nil {
		return result{}, false
	}
	return m.cache.GetIfPresent(k)
}

// put remembers a result; one without a version of keys cannot be told stale, and is not kept. The checks are for who
// explains one verification, and would be half of what is remembered.
func (m *memory) put(k memoryKey, r result) {
	r.subject.Checks = nil
	if m.cache != nil && r.version != 0 {
		m.cache.Set(k, r)
	}
}
