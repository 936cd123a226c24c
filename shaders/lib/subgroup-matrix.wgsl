enable subgroups;
enable chromium_experimental_subgroup_matrix;

// Matrix units, through Dawn's experimental extension for subgroup matrices: all that is particular to it stands here. A matrix belongs to a subgroup as a whole, so its threads must come here together.
//
// Injected: M, N, K (a unit multiplies M × K by K × N), S (components of the factors: f32 or f16; everything is added up in
// f32).

// The extension counts columns first.
alias Left = subgroup_matrix_left<S, K, M>;
alias Right = subgroup_matrix_right<S, N, K>;
alias Sum = subgroup_matrix_result<f32, N, M>;

// Apart from the thread's own number: what shares a struct with that is not uniform in a subgroup.
struct Place {
  @builtin(subgroup_id) subgroup: u32,
}

// The subgroup's number in its workgroup.
fn subgroupOf(place: Place) -> u32 {
  return place.subgroup;
}

// M rows of K terms, the first of them at `at`.
fn loadLeft(at: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&leftTile, at, LEFT_STRIDE);
}

// K terms of N columns.
fn loadRight(at: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&rightTile, at, RIGHT_STRIDE);
}

fn multiplyAdd(left: Left, right: Right, sum: Sum) -> Sum {
  return subgroupMatrixMultiplyAccumulate(left, right, sum);
}

fn storeSum(at: u32, sum: Sum) {
  subgroupMatrixStore<row_major>(&sumTile, at, sum, N);
}
