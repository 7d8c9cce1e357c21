package authflow

import (
	"context"

	"apostille/broker/store"
	"apostille/upstream"
)

// maxListed bounds how much of one person is looked at when a logout token names a session that is not here.
const maxListed = 1000

// end ends what rested on the login: with sid the identities that came of that session of the upstream, else all of the person's,
// each with the families that began there.
func (f *Flow) end(ctx context.Context, trustID string, out upstream.LoggedOut) *refusal {
	sessions, families, err := f.Ender.EndSessions(ctx, store.SessionQuery{Trust: trustID, Sub: out.Sub, SID: out.SID})
	if err != nil {
		return storeRefusal(err)
	}
	if out.Sub != "" && (out.SID == "" || len(sessions) == 0) {
		var rest []store.Family
		rest, err = f.endOrphans(ctx, trustID, out.Sub, out.SID == "")
		families = append(families, rest...)
	}
	if f.Ended != nil && len(sessions)+len(families) > 0 { // also after an error: when the token comes again these are over already
		f.Ended(ctx, sessions, families)
	}
	if err != nil {
		return storeRefusal(err)
	}
	return nil
}

// endOrphans ends families of the person that outlived their session here, such as refresh tokens after the session's idle time: all,
// or those without a living session, for a logout token whose session is not here any more may mean one of them.
func (f *Flow) endOrphans(ctx context.Context, trustID, sub string, all bool) ([]store.Family, error) {
	query := store.FamilyQuery{Trust: trustID, Sub: sub}
	if all {
		return f.Ender.EndFamilies(ctx, query, "logout")
	}
	living, err := f.Ender.ListSessions(ctx, store.SessionQuery{Trust: trustID, Sub: sub}, maxListed)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, s := range living {
		ids[s.ID] = true
	}
	candidates, err := f.Ender.ListFamilies(ctx, query, maxListed)
	if err != nil {
		return nil, err
	}
	var ended []store.Family
	for _, c := range candidates {
		if ids[c.Session] {
			continue
		}
		list, err := f.Ender.EndFamilies(ctx, store.FamilyQuery{ID: c.ID}, "logout")
		if err != nil {
			return ended, err
		}
		ended = append(ended, list...)
	}
	return ended, nil
}
