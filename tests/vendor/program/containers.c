/* Vectors, maps and strings. */
#include "program.h"

void containers(void) {
  mlx_array one = mlx_array_new_float(1);
  mlx_array two = mlx_array_new_float(2);
  mlx_array both[] = {one, two};
  mlx_vector_array arrays = mlx_vector_array_new_data(both, 2);
  CHECK(mlx_vector_array_append_value(arrays, one) == 0);
  CHECK(mlx_vector_array_append_data(arrays, both, 2) == 0);
  CHECK(mlx_vector_array_size(arrays) == 5);
  mlx_array got = mlx_array_new();
  CHECK(mlx_vector_array_get(&got, arrays, 4) == 0 && take(got) == 2);
  CHECK(mlx_vector_array_get(&(mlx_array){0}, arrays, 5) == 1);
  mlx_array hole[] = {one, {0}};
  CHECK(mlx_vector_array_append_data(arrays, hole, 2) == 1);
  CHECK(mlx_vector_array_size(arrays) == 5);
  mlx_vector_vector_array nested = mlx_vector_vector_array_new_value(arrays);
  mlx_vector_array inner = mlx_vector_array_new();
  CHECK(mlx_vector_vector_array_get(&inner, nested, 0) == 0);
  CHECK(mlx_vector_array_size(inner) == 5);
  CHECK(mlx_vector_array_set_value(&inner, two) == 0 && mlx_vector_array_size(inner) == 1);
  CHECK(mlx_vector_array_size(arrays) == 5);

  int numbers[] = {3, 1, 4};
  mlx_vector_int ints = mlx_vector_int_new_data(numbers, 3);
  int number = 0;
  CHECK(mlx_vector_int_get(&number, ints, 2) == 0 && number == 4);

  const char* words[] = {"ab", "cde"};
  mlx_vector_string strings = mlx_vector_string_new_data(words, 2);
  CHECK(mlx_vector_string_append_value(strings, "f") == 0);
  char* word = NULL;
  CHECK(mlx_vector_string_get(&word, strings, 1) == 0 && strcmp(word, "cde") == 0);
  CHECK(mlx_vector_string_append_value(strings, NULL) == 1);

  mlx_map_string_to_array map = mlx_map_string_to_array_new();
  CHECK(mlx_map_string_to_array_insert(map, "one", one) == 0);
  CHECK(mlx_map_string_to_array_insert(map, "two", two) == 0);
  got = mlx_array_new();
  CHECK(mlx_map_string_to_array_get(&got, map, "two") == 0 && take(got) == 2);
  int before = errors_seen;
  got = mlx_array_new();
  CHECK(mlx_map_string_to_array_get(&got, map, "three") == 2 && got.ctx == NULL);
  mlx_map_string_to_array_iterator it = mlx_map_string_to_array_iterator_new(map);
  const char* key = NULL;
  int seen = 0;
  float total = 0;
  while (mlx_map_string_to_array_iterator_next(&key, &got, it) == 0) {
    float value = 0;
    mlx_array_item_float32(&value, got);
    CHECK((strcmp(key, "one") == 0) == (value == 1));
    total += value;
    seen++;
  }
  CHECK(seen == 2 && total == 3);
  CHECK(mlx_map_string_to_array_iterator_next(&key, &got, it) == 2);
  CHECK(errors_seen == before); /* neither a missing key nor the end is an error */
  mlx_map_string_to_array_iterator_free(it);
  mlx_array_free(got);

  mlx_map_string_to_string notes = mlx_map_string_to_string_new();
  CHECK(mlx_map_string_to_string_insert(notes, "k", "v") == 0);
  const char* note = NULL;
  CHECK(mlx_map_string_to_string_get(&note, notes, "k") == 0 && strcmp(note, "v") == 0);
  mlx_map_string_to_string copy = mlx_map_string_to_string_new();
  CHECK(mlx_map_string_to_string_set(&copy, notes) == 0);
  mlx_map_string_to_string_iterator pairs = mlx_map_string_to_string_iterator_new(copy);
  CHECK(mlx_map_string_to_string_iterator_next(&key, &note, pairs) == 0);
  CHECK(strcmp(key, "k") == 0 && strcmp(note, "v") == 0);
  CHECK(mlx_map_string_to_string_iterator_next(&key, &note, pairs) == 2);
  mlx_map_string_to_string_iterator_free(pairs);

  mlx_string text = mlx_string_new_data("text");
  mlx_string other = mlx_string_new();
  CHECK(mlx_string_set(&other, text) == 0 && strcmp(mlx_string_data(other), "text") == 0);
  CHECK(mlx_string_data(text) != mlx_string_data(other));
  mlx_string_free(text);
  mlx_string_free(other);

  mlx_map_string_to_string_free(copy);
  mlx_map_string_to_string_free(notes);
  mlx_map_string_to_array_free(map);
  mlx_vector_string_free(strings);
  mlx_vector_int_free(ints);
  mlx_vector_array_free(inner);
  mlx_vector_vector_array_free(nested);
  mlx_vector_array_free(arrays);
  mlx_array_free(one);
  mlx_array_free(two);
}
