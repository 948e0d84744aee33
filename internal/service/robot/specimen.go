package robot

import (
	"hash/fnv"
	"time"

	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
)

// specimenData is the person on the robots' document where the company sent nothing.
// Title and birth name are in no specimen.
var specimenData = map[person.Field]string{
	person.Firstname: "ERIKA", person.Lastname: "MUSTERMANN", person.Birthday: "1984-08-12", person.Birthplace: "BERLIN",
	person.Nationality: "DE", person.Gender: "FEMALE", person.Street: "HEIDESTRASSE", person.StreetNumber: "17", person.City: "KÖLN",
	person.Zipcode: "51147", person.Country: "DE",
}

// read is what the robot reads from the user's document: what the company sent, as a
// document shows it, and the specimen's own data for the rest.
// Where an account has the number in the street, a street that was sent has its own.
func (s *Service) read(a person.Application, id ident.ID, numberInStreet bool) person.Data {
	d := person.Data{Userdata: map[person.Field]string{}}
	for _, f := range person.Fields {
		if numberInStreet && f == person.StreetNumber && a.Userdata[person.Street] != "" && a.Userdata[f] == "" {
			continue
		}
		if sent := a.Userdata[f]; sent != "" {
			d.Userdata[f] = f.Show(sent)
		} else if v := specimenData[f]; v != "" {
			d.Userdata[f] = v
		}
	}
	now := s.o.Clock.Now()
	d.Document = map[person.DocumentField]string{
		person.DocumentType: "IDCARD", person.DocumentCountry: "DE", person.DocumentNumber: number(id),
		person.IssuedBy: "STADT KÖLN", person.DateIssued: day(now.AddDate(-2, 0, 0)), person.ValidUntil: day(now.AddDate(8, 0, -1)),
	}
	return d
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

// number is a document number in the style of identity cards: nine characters, no vowels.
func number(id ident.ID) string {
	const characters = "CFGHJKLMNPRTVWXYZ0123456789"
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	n := h.Sum64()
	b := []byte("L........")
	for i := 1; i < len(b); i++ {
		b[i] = characters[n%uint64(len(characters))]
		n /= uint64(len(characters))
	}
	return string(b)
}

// changed returns data with another value in every field of the person. The names hold
// between them every character that results support (15.1, CHANGEALL).
func changed(data person.Data) person.Data {
	to := data.Clone()
	all := person.ChangeAllCharacters()
	for f, v := range data.Userdata {
		to.Userdata[f] = other(f, v, all)
	}
	return to
}

func other(f person.Field, v string, all []string) string {
	swap := func(a, b string) string {
		if v == a {
			return b
		}
		return a
	}
	switch f {
	case person.Firstname:
		return all[0]
	case person.Lastname:
		return all[1]
	case person.Birthday:
		return swap("1971-03-04", "1972-05-06")
	case person.Country, person.Nationality:
		return swap("AT", "CH")
	case person.Gender:
		return swap("MALE", "FEMALE")
	case person.Title:
		return swap("Prof. Dr.", "Dr.")
	case person.Birthname:
		return swap("GEÄNDERT", "VERÄNDERT")
	case person.Birthplace:
		return swap("SALZBURG", "LINZ")
	case person.City:
		return swap("WIEN", "GRAZ")
	case person.Street:
		return swap("NEUE GASSE", "ALTE GASSE")
	case person.StreetNumber:
		return swap("4A", "5B")
	case person.Zipcode:
		return swap("1010", "8010")
	}
	return v
}
