package robot

import (
	"maps"
	"slices"

	"vidimus/internal/domain/person"
	"vidimus/internal/domain/question"
)

// reply returns what the robot answers: each question that is shown and that nothing was
// pre-defined for, unless it is read-only. A question that an answer of the robot's own
// shows is answered too, wherever it stands in the list. A custom image that is to be taken
// is answered with 1.
func reply(all []question.Definition, data person.Data, sent person.Application) map[string]question.Value {
	known := maps.Clone(sent.Questions)
	if known == nil {
		known = map[string]question.Value{}
	}
	has := func(name, value string) bool { return has(name, value, data, sent, known) }
	replies, looked := map[string]question.Value{}, map[string]bool{}
	for more := true; more; { // answers only come, and each shows no fewer questions
		more = false
		for _, q := range all {
			if looked[q.Key] || !q.Shown(has) {
				continue
			}
			looked[q.Key], more = true, true
			_, given := known[q.Key]
			if q.Type != question.CustomImage && (given || q.ReadOnly) {
				continue
			}
			known[q.Key] = usual(q)
			replies[q.Key] = known[q.Key]
		}
	}
	return replies
}

// has says whether a field of the user or a question has the value. A field is compared as
// results compare it, without regard to letter case and spaces, since a document shows it
// in its own way; an answer as it is. A name that is both is the field's.
func has(name, value string, data person.Data, sent person.Application, known map[string]question.Value) bool {
	if !slices.Contains(person.Names, name) {
		v, answered := known[name]
		return answered && v.String() == value
	}
	read := data.Userdata[person.Field(name)]
	if read == "" {
		read = sent.Get(name)
	}
	return person.Fold(read) == person.Fold(value)
}

// usual is what the robot answers when nobody has told it what.
func usual(q question.Definition) question.Value {
	switch q.Type {
	case question.RadioBoolean, question.Numeric, question.CustomImage:
		return question.Integer(1)
	case question.RadioString, question.Dropdown:
		return question.Text(q.Options[0])
	case question.DropdownCountries:
		return question.Text("DE")
	case question.Date:
		return question.Text("2000-01-31")
	case question.Input:
		return question.Text("Test")
	}
	return question.Text("Test")
}
