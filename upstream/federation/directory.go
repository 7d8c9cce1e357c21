package federation

import (
	"iter"
	"strings"
	"time"

	"apostille/trust"
)

// directory is a trust.Directory: the members as they were when it was made, while they are valid.
type directory struct {
	clock func() time.Time
	parts []part // in the order of their IDs
}

type part struct {
	id    string
	index *Index // nil = none
	query *query // of MDQ; nil = it is no such
}

var _ trust.Directory = (*directory)(nil)

// ByID implements trust.Directory. A member that a federation before this one has as well is found there.
func (d *directory) ByID(id string) (*trust.Member, bool) {
	at := strings.LastIndexByte(id, '.')
	if at < 0 {
		return nil, false
	}
	for i := range d.parts {
		p := &d.parts[i]
		if p.id != id[:at] {
			continue
		}
		if m, ok := p.byID(id, d.clock()); ok {
			return m, d.first(i, m.EntityID)
		}
	}
	return nil, false
}

// first says whether no federation before this one knows the entityID.
func (d *directory) first(i int, entityID string) bool {
	now := d.clock()
	for _, p := range d.parts[:i] {
		if _, ok := p.byID(trust.MemberID(p.id, entityID), now); ok {
			return false
		}
	}
	return true
}

// ByIssuer implements trust.Directory.
func (d *directory) ByIssuer(entityID string) (*trust.Member, bool) {
	m, _, ok := d.find(entityID)
	return m, ok
}

func (d *directory) find(entityID string) (*trust.Member, *part, bool) {
	now := d.clock()
	for i := range d.parts {
		p := &d.parts[i]
		if p.query != nil {
			if m, ok := p.query.ask(entityID); ok {
				return m, p, true
			}
		} else if m, ok := p.byID(trust.MemberID(p.id, entityID), now); ok && m.EntityID == entityID {
			return m, p, true
		}
	}
	return nil, nil, false
}

func (p *part) byID(id string, now time.Time) (*trust.Member, bool) {
	if p.query != nil {
		return p.query.known(id, now)
	}
	if p.index == nil {
		return nil, false
	}
	h, ok := p.index.find(id, now)
	if !ok {
		return nil, false
	}
	return &h.Member, true
}

// All implements trust.Directory. Those that are asked for on demand are not listed.
func (d *directory) All() iter.Seq[*trust.Member] {
	return func(yield func(*trust.Member) bool) {
		for i := range d.parts {
			p := &d.parts[i]
			if p.index == nil {
				continue
			}
			for m := range p.index.all(d.clock()) {
				if d.first(i, m.EntityID) && !yield(m) {
					return
				}
			}
		}
	}
}
