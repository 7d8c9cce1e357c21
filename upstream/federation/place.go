package federation

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"slices"
	"sync"
	"time"
)

// Place is where people of a member sign in and out. "" = not by that binding.
type Place struct{ Redirect, Post, Logout string }

// opened is a detail in the form in which it is used.
type opened struct {
	place Place
	keys  []crypto.PublicKey
}

// Signers returns the keys of a member, by federation and entityID; of a federation that comes after another one with the same entity, none.
func (m *Federations) Signers(_ context.Context, federation, entityID string) ([]crypto.PublicKey, error) {
	o, err := m.opened(federation, entityID)
	if err != nil {
		return nil, err
	}
	if len(o.keys) == 0 {
		return nil, errors.New("none of its certificates has a key that can be used")
	}
	return o.keys, nil
}

// Place finds where people of a member sign in.
func (m *Federations) Place(federation, entityID string) (Place, error) {
	o, err := m.opened(federation, entityID)
	if err != nil {
		return Place{}, err
	}
	return o.place, nil
}

func (m *Federations) opened(federation, entityID string) (*opened, error) {
	member, part, ok := m.now.Load().find(entityID)
	if !ok || part.id != federation {
		return nil, errUnknown
	}
	if part.query != nil {
		return part.query.opened(entityID)
	}
	return part.index.opened(member.ID, m.cfg.Now())
}

// recent keeps what was opened lately: nearly all traffic is of few members.
type recent struct {
	mu  sync.Mutex
	all map[string]*opened // by ID
}

const maxRecent = 1000

func (r *recent) get(id string) *opened {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[id]
}

func (r *recent) put(id string, o *opened) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil || len(r.all) == maxRecent {
		r.all = make(map[string]*opened)
	}
	r.all[id] = o
}

func (x *Index) opened(id string, now time.Time) (*opened, error) {
	h, ok := x.find(id, now)
	if !ok {
		return nil, errUnknown
	}
	if o := x.recent.get(id); o != nil {
		return o, nil
	}
	d, err := x.detail(h)
	if err != nil {
		return nil, err
	}
	o := d.open()
	x.recent.put(id, o)
	return o, nil
}

// open parses. The metadata vouch for the keys: what the certificates say of themselves, their dates too, means nothing (SAML Metadata
// Interoperability Profile 1.0 §2.6). Whether a key is strong enough is for who verifies with it.
func (d *detail) open() *opened {
	o := &opened{place: Place{Redirect: d.Redirect, Post: d.Post, Logout: d.Logout}}
	for _, der := range d.Certificates {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			continue // of an algorithm or a form that nothing of ours could use
		}
		key, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		if ok && !slices.ContainsFunc(o.keys, key.Equal) {
			o.keys = append(o.keys, cert.PublicKey)
		}
	}
	return o
}
