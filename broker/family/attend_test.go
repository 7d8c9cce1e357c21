package family_test

import (
	"testing"

	"apostille/broker/family"
	"apostille/broker/store"
)

// An application that speaks SAML is remembered once a session and name, and is over when the session is.
func TestAnApplicationWithoutTokensEndsWithItsSession(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.signIn(nil)
	s.Client, s.Session, s.SID = "shop", session(t, b), "sid"
	if err := b.families.Attend(t.Context(), s); err == nil {
		t.Error("attended without a NameID")
	}
	attend := func(value string, want int) []store.Family {
		t.Helper()
		s.NameID = &family.NameID{Format: "f", Value: value}
		if err := b.families.Attend(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		list, err := b.store.ListFamilies(t.Context(), store.FamilyQuery{Session: s.Session}, 10)
		if err != nil || len(list) != want {
			t.Fatalf("%d families, %v; wanted %d", len(list), err, want)
		}
		return list
	}
	attend("kim", 1)
	kept, err := family.Read(attend("kim", 1)[0])
	if err != nil || kept.NameID == nil || *kept.NameID != *s.NameID || kept.SID != "sid" || kept.Subject.Sub != kim {
		t.Errorf("%v %+v", err, kept)
	}
	attend("another", 2)
	_, ended, err := b.store.EndSessions(t.Context(), store.SessionQuery{ID: s.Session})
	if err != nil || len(ended) != 2 {
		t.Errorf("%d families ended with the session, %v", len(ended), err)
	}
	if err := b.families.Attend(t.Context(), s); err == nil {
		t.Error("attended in a session that is over")
	}
	if list, err := b.store.ListFamilies(t.Context(), store.FamilyQuery{Sub: kim}, 10); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v %v", list, err)
	}
}
